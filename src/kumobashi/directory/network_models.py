"""Where a site's gateway stands on the wire: what a switch or a firewall has to be told.

Kept in the workspace alone; the directory that partners see says nothing of it.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyAddress, StringConstraints

from kumobashi.directory.file_parts import FileModel, Name

Mac = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$"),
    AfterValidator(lambda mac: mac.replace("-", ":").lower()),
]


class EnforcingDevice(FileModel):
    """The device before a site that lets through what is on the list, and nothing else."""

    name: Name = Field(examples=["FW-01"])
    kind: Literal["firewall", "l3_switch", "l2_switch"] = Field(examples=["firewall"])


class SiteNetwork(FileModel):
    """The gateway of a site on its segment."""

    ip: IPvAnyAddress = Field(examples=["192.0.2.10"])
    mac: Mac = Field(examples=["02:00:00:00:00:10"])
    segment: Name = Field(examples=["基幹系サーバー"])
    device: EnforcingDevice = Field(examples=[{"name": "FW-01", "kind": "firewall"}])
