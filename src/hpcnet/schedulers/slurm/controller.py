"""Whether slurmctld answers: `scontrol ping` tells in milliseconds what others wait nine seconds for."""

from __future__ import annotations

from hpcnet.model.state import Trouble
from hpcnet.posix.sections import Section

# Sets hpcnet_alive, empty only when nothing can be asked; an answer nobody knows is no death.
PING = """\
hpcnet_ping=$(scontrol ping 2>&1)
hpcnet_pinged=$?
hpcnet_repeat() { printf '%s\\n' "$hpcnet_ping"; return "$hpcnet_pinged"; }
hpcnet_section ping hpcnet_repeat
hpcnet_alive=yes
case $hpcnet_ping in
  *' is UP'*) ;;
  *' is DOWN'*) hpcnet_alive= ;;
esac
[ "$hpcnet_pinged" -ne 127 ] || hpcnet_alive=
"""


def controller_trouble(ping: Section | None) -> Trouble | None:
    """What is wrong with the controller, or None if it answers."""
    if ping is None:
        return Trouble("scontrol ping did not answer", hint="try again later")
    if ping.exit_status == 127:
        return Trouble(
            "Slurm's commands are not found on the site's login path",
            hint="make them known to non-interactive shells, for example in ~/.bashrc",
            exit_code=78,
        )
    if " is DOWN" in ping.text and " is UP" not in ping.text:
        return Trouble(f"the Slurm controller is down: {ping.lines[0]}", hint="try again later")
    return None
