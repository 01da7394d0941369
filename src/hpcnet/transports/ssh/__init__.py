"""The way to a site by SSH: one connection, its host key pinned, scripts and files through it.

paramiko is imported only when a connection is made: it costs a tenth of a second.
"""

from __future__ import annotations

import sys

from hpcnet.model.configuration import Access
from hpcnet.model.site import Site
from hpcnet.ports import Connect, LinkSettings, Transport

# paramiko would import invoke, a third of its own import time, for one thing only: to give the
# text of `Match exec` to a shell, which hpcnet refuses. Where it is missing paramiko does without.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]


def TRANSPORT(settings: LinkSettings) -> Connect:  # noqa: N802 - the well-known name of the plug-in
    """A way to any site that has a login host or an entry in the user's ssh configuration."""

    def connect(site: Site, access: Access) -> Transport:
        from hpcnet.transports.ssh.link import SshLink
        from hpcnet.transports.ssh.route import find_route
        from hpcnet.transports.ssh.tunnel import Tunnel

        hops = find_route(site, access, settings)
        return SshLink(site.id, Tunnel.through(hops, site.id))

    return connect
