"""All kinds of evidence, in the order in which they make their sections: later ones may look at earlier sections."""

from typing import Any

from napari_sem_sr.checking.evidence.against_hr import HrEvidence
from napari_sem_sr.checking.evidence.consistency import ConsistencyEvidence
from napari_sem_sr.checking.evidence.domain_alarm import DomainEvidence
from napari_sem_sr.checking.evidence.expected_error import ExpectedErrorEvidence
from napari_sem_sr.checking.evidence.expected_gain import GainEvidence
from napari_sem_sr.checking.evidence.invention import InventionEvidence
from napari_sem_sr.checking.evidence.persistence import PersistenceEvidence
from napari_sem_sr.checking.evidence.reference import ReferenceEvidence
from napari_sem_sr.checking.evidence.stability import StabilityEvidence
from napari_sem_sr.checking.evidence.trust import TrustEvidence
from napari_sem_sr.checking.protocol import Evidence, MapKind, Shown
from napari_sem_sr.checking.suspects.evidence import SuspectsEvidence
from napari_sem_sr.checking.suspects.missing import HolesEvidence

KINDS: tuple[type[Evidence[Any]], ...] = (
    HrEvidence,
    ConsistencyEvidence,
    HolesEvidence,
    InventionEvidence,
    StabilityEvidence,
    ExpectedErrorEvidence,
    GainEvidence,
    DomainEvidence,
    ReferenceEvidence,
    PersistenceEvidence,
    TrustEvidence,
    SuspectsEvidence,
)
# Folder of the maps in that of the report, and every map that may be there, by name.
MAPS_FOLDER = "maps.zarr"
MAPS: dict[str, MapKind] = {drawn.name: drawn for kind in KINDS for drawn in kind.draws}
# Those that the report's page draws, in the order in which they are best read.
_FIRST = ("consistency", "agreement", "trust")
SHOWN: dict[str, Shown] = {
    name: shown
    for name in (*_FIRST, *(n for n in MAPS if n not in _FIRST))
    if (shown := MAPS[name].shown) is not None
}
