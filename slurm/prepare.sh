#!/bin/sh
# Makes a machine ready for hpcnet, and leaves no service enabled or running that was not before.
#
#   prepare.sh packages demo|test                  Debian packages for the demo or the tests
#   prepare.sh virtual-environment PYTHON VENV     hpcnet with its extras and developers' tools
#
# `packages` ends with 0 where nothing can be installed: the demo has a local default, tests are skipped.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'hpcnet: %s\n' "$*"; }

complain() { printf 'hpcnet: %s\n' "$*" >&2; }

list_packages() { # PURPOSE: "package<TAB>why" of each package that serves it
    awk -F '\t' -v purpose="$1" '
        /^#/ { next }
        $2 == purpose || ($2 == "both" && purpose != "environment") { print $1 "\t" $3 }
    ' "$here/debian-packages.tsv"
}

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' -- "$1" 2>/dev/null | grep -qx installed
}

list_missing() { # PURPOSE: as list_packages, only what is not installed
    list_packages "$1" | while IFS='	' read -r package why; do
        is_installed "$package" || printf '%s\t%s\n' "$package" "$why"
    done
}

why_nothing_can_be_installed() { # prints a reason, or nothing
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        echo "this is not a Debian or Ubuntu system"
    elif [ "$(id -u)" -ne 0 ] && ! can_become_root; then
        echo "this needs root or sudo"
    fi
}

can_become_root() {
    command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }
}

go_without() { # PURPOSE REASON
    case $1 in
        demo) say "Slurm cannot be installed here ($2): the demo uses the local default, without Slurm." ;;
        test) say "Slurm and the data bases cannot be installed here ($2): tests that need them are skipped." ;;
        *) say "python3-venv cannot be installed here ($2)." ;;
    esac
}

install_packages() { # PURPOSE
    missing=''
    if command -v dpkg-query >/dev/null; then
        missing=$(list_missing "$1")
        [ -n "$missing" ] || return 0
    elif [ "$1" != environment ] && has_slurm; then
        say "Slurm is here, and how it was installed is not known: it is used as it is."
        return 0
    fi
    reason=$(why_nothing_can_be_installed)
    if [ -n "$reason" ]; then
        go_without "$1" "$reason"
        return 0
    fi
    say "these Debian packages are missing and are installed now (no service is enabled or started):"
    printf '%s\n' "$missing" | awk -F '\t' '{ printf "  %-24s %s\n", $1, $2 }'
    # Package names come from our own list and hold no blanks.
    # shellcheck disable=SC2046
    as_root sh "$here/prepare.sh" install-as-root $(printf '%s\n' "$missing" | cut -f 1) ||
        go_without "$1" "the installation failed, see above"
}

has_slurm() { command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v munged >/dev/null; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_as_root() { # PACKAGE...
    policy=/usr/sbin/policy-rc.d
    made_policy=no
    work=$(mktemp -d)
    trap 'leave_as_found' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    list_enabled >"$work/enabled-before"
    if [ ! -e "$policy" ]; then
        made_policy=yes
        printf '#!/bin/sh\n# hpcnet is installing packages: nothing is started.\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    run_apt update && run_apt install --yes --no-install-recommends -- "$@"
}

run_apt() { # what apt-get says is of interest only when it fails
    if ! apt-get --quiet -o DPkg::Lock::Timeout=300 "$@" >"$work/apt.log" 2>&1 </dev/null; then
        complain "apt-get $1 failed; its last lines:"
        tail -n 12 "$work/apt.log" >&2
        return 1
    fi
}

list_enabled() { # one link a line: what systemd or an init of System V would start
    find /etc/systemd/system -path '*.wants/*' -type l 2>/dev/null | sort
    find /etc/rc[S2345].d -name 'S*' -type l 2>/dev/null | sort
}

leave_as_found() { # also after a failure and after Ctrl-C
    status=$?
    trap '' HUP INT TERM
    list_enabled >"$work/enabled-after"
    grep -vxF -f "$work/enabled-before" "$work/enabled-after" >"$work/new" || :
    while read -r link; do disable "$link"; done <"$work/new"
    if [ "$made_policy" = yes ]; then rm -f "$policy"; fi
    rm -rf "$work"
    exit "$status"
}

disable() { # a link that was not there before: of a unit (munge.service) or a start script (S01munge)
    name=${1##*/}
    [ -L "$1" ] || return 0
    case $name in
        S[0-9][0-9]*) update-rc.d "${name#S[0-9][0-9]}" disable ;;
        *)
            if [ -d /run/systemd/system ]; then
                systemctl disable "$name"
            else
                # The helper answers only to package scripts.
                DPKG_MAINTSCRIPT_PACKAGE=hpcnet deb-systemd-helper disable "$name"
            fi
            ;;
    esac >/dev/null 2>&1 || :
    [ ! -L "$1" ] || rm -f "$1"
}

make_virtual_environment() { # PYTHON VENV
    check_python "$1"
    if ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        install_packages environment
    fi
    say "making the virtual environment $2 ..."
    # One that was made by another python would mix the two: only one that is whole is kept.
    "$2/bin/python" -c 'import ensurepip, ssl' 2>/dev/null || rm -rf -- "$2"
    [ -d "$2" ] || "$1" -m venv "$2" || fail "no virtual environment could be made; install python3-venv and try again."
    say "installing hpcnet and its libraries into it (a minute or two the first time) ..."
    pip_install "$2" 'pip>=25.1'
    pip_install "$2" --editable "$here/..[mpi,plots,postgresql]" --group "$here/../pyproject.toml:dev"
    say "$("$2/bin/hpcnet" --version 2>/dev/null || echo hpcnet) is ready in $2."
}

check_python() { # PYTHON
    command -v "$1" >/dev/null || fail "there is no $1; install Python 3.11 or newer, or name one: make PYTHON=..."
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$1 is $("$1" -V 2>&1), hpcnet needs 3.11 or newer; name one: make PYTHON=python3.12"
}

pip_install() { # VENV ARGUMENT...
    venv=$1
    shift
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
        fail "pip could not install what hpcnet needs, see above; is there a way to the package registry?"
}

fail() {
    complain "$*"
    exit 1
}

usage() {
    complain "usage: prepare.sh packages demo|test | virtual-environment PYTHON VENV"
    exit 2
}

case ${1-} in
    packages)
        case ${2-} in demo | test) install_packages "$2" ;; *) usage ;; esac
        ;;
    virtual-environment)
        [ $# -eq 3 ] || usage
        make_virtual_environment "$2" "$3"
        ;;
    install-as-root)
        shift
        install_as_root "$@"
        ;;
    *) usage ;;
esac
