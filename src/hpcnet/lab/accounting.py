"""Job accounting for the lab: slurmdbd and a MariaDB of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hpcnet.errors import ConfigurationError
from hpcnet.lab.daemons import Daemon, last_lines, start, wait_for
from hpcnet.lab.free_ports import answers
from hpcnet.lab.layout import Accounting, Lab
from hpcnet.lab.processes import MARK, Process
from hpcnet.lab.programs import find, run, user_name

_INITIALIZE_SQL = """\
CREATE DATABASE IF NOT EXISTS slurm_acct_db;
CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1';
"""
_ACCOUNT = "training"
_KNOWN_ALREADY = re.compile(r"already exist|nothing new added", re.IGNORECASE)


def accounting_daemons(lab: Lab, accounting: Accounting) -> list[Daemon]:
    """The data base and slurmdbd, in the order in which they start."""
    return [_database(lab, accounting), _slurmdbd(lab, accounting)]


def start_accounting(
    lab: Lab, accounting: Accounting, before: Sequence[Process], tell: Callable[[str], None]
) -> None:
    """Starts the accounting and registers every cluster and the user with it.

    Raises `ConfigurationError` or `TimedOut` with the end of a log.
    """
    database, slurmdbd = accounting_daemons(lab, accounting)
    _initialize(accounting, tell)
    start([database], before, tell, "lab")
    wait_for(lambda: answers(accounting.database_port), "the data base did not answer", lambda: database.log)
    start([slurmdbd], before, tell, "lab")
    wait_for(lambda: answers(accounting.port), "slurmdbd did not answer", lambda: slurmdbd.log)
    _register(lab, slurmdbd)


def _database(lab: Lab, accounting: Accounting) -> Daemon:
    here = accounting.directory
    options = (
        "--no-defaults",
        f"--user={user_name()}",
        f"--datadir={here / 'database'}",
        f"--socket={here / 'socket'}",
        f"--port={accounting.database_port}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        f"--pid-file={here / 'mariadbd.pid'}",
        f"--log-error={here / 'mariadbd.log'}",
        f"--init-file={here / 'initialize.sql'}",
    )
    return Daemon(
        name="mariadbd",
        program="mariadbd",
        argv=options,
        words=frozenset(),
        log=here / "mariadbd.log",
        environment=_environment(lab, accounting),
        goes_into_background=False,
    )


def _slurmdbd(lab: Lab, accounting: Accounting) -> Daemon:
    log = accounting.directory / "slurmdbd.log"
    return Daemon("slurmdbd", "slurmdbd", (), frozenset(), log, _environment(lab, accounting))


def _environment(lab: Lab, accounting: Accounting) -> dict[str, str]:
    return {MARK: str(lab.directory), "SLURM_CONF": str(accounting.slurm_conf)}


def _initialize(accounting: Accounting, tell: Callable[[str], None]) -> None:
    """Makes the empty data base once; the script that lets slurmdbd in runs at every start."""
    here = accounting.directory
    script = here / "initialize.sql"
    password = (here / "password").read_text(encoding="utf-8")
    script.touch(mode=0o600)
    script.write_text(_INITIALIZE_SQL.format(password=password), encoding="utf-8")
    if (here / "database" / "mysql").exists():
        return
    tell("lab: making the data base of the job accounting")
    made = run(
        [
            find("mariadb-install-db"),
            "--no-defaults",
            f"--user={user_name()}",
            f"--datadir={here / 'database'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        {},
    )
    if made.returncode != 0:
        raise ConfigurationError(f"no data base could be made: {made.stderr.strip()[-500:]}")


def _register(lab: Lab, slurmdbd: Daemon) -> None:
    """Clusters, one account and its user; what is known already is left as it is."""
    wanted = [
        *(["cluster", cluster.id] for cluster in lab.clusters),
        ["account", _ACCOUNT, "Description=training", "Organization=hpcnet"],
        ["user", user_name(), f"Account={_ACCOUNT}"],
    ]
    for words in wanted:
        environment = {"SLURM_CONF": str(lab.clusters[0].slurm_conf)}
        said = run([find("sacctmgr"), "-i", "add", *words], environment)
        if said.returncode != 0 and not _KNOWN_ALREADY.search(said.stdout + said.stderr):
            raise ConfigurationError(
                f"sacctmgr would not add the {words[0]}: {(said.stderr or said.stdout).strip()}\n"
                f"{last_lines(slurmdbd.log)}"
            )
