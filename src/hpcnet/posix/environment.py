"""The environment in which a site's commands are asked: nothing of the user's profile bends them."""

from __future__ import annotations

_PREFIXES = ("SBATCH", "SQUEUE", "SINFO", "SACCT", "SCANCEL", "SLURM")
_COMMANDS = "sbatch squeue sinfo sacct scancel scontrol srun date cat mkdir mv rm sed sort id"

_CLEAN = r"""
unalias -a
unset -f {commands} 2>/dev/null
for hpcnet_name in $(env | sed -n 's/^\(\({prefixes}\)_[A-Za-z0-9_]*\)=.*/\1/p'); do
  [ "$hpcnet_name" = SLURM_CONF ] || unset "$hpcnet_name"
done
unset CDPATH ENV BASH_ENV
[ -z "${{LC_ALL+set}}" ] || hpcnet_locale=$LC_ALL
LC_ALL=C; export LC_ALL
"""

_USERS_LOCALE = """\
if [ -n "${hpcnet_locale+set}" ]; then LC_ALL=$hpcnet_locale; else unset LC_ALL; fi
"""


def clean_environment() -> str:
    """Shell text: messages in English, no SBATCH_*, SLURM_* and the like (SLURM_CONF stays: it names
    the cluster), no alias and no function in the place of a command.
    """
    prefixes = r"\|".join(_PREFIXES)
    return _CLEAN.format(prefixes=prefixes, commands=_COMMANDS).lstrip("\n")


def users_locale() -> str:
    """Shell text: the locale as it was, for what a job inherits."""
    return _USERS_LOCALE
