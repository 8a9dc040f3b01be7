"""Scans of a person who must not be found anywhere, and a search that looks into every kind of file."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import nibabel
import nrrd
import numpy as np
import pydicom

from tests.core.formats.dicom_writer import Series, write_series
from tests.core.formats.mrd_writer import Header, lines_of, write_mrd
from tests.core.formats.phantom import blob, coil_images, oversampled_kspace
from tests.core.formats.twix_writer import Measurement, readouts_of, write_twix

NAME, FOREIGN, DATE, UID = "ZZCANARYZZ", "Ωκαναρινι", "19330303", "1.2.826.0.1.3680043.777777"
SECRETS = (NAME, FOREIGN, DATE, "1933-03-03", UID, "Doe^Jane", "Doe", "4711")
KSPACE = oversampled_kspace(coil_images(blob((32, 32), (9, 21))))
_DEEPEST = 4


def _mrd(path: Path) -> Path:
    subject = (
        f"<patientName>{NAME}^{FOREIGN}</patientName><patientID>{NAME}1</patientID>"
        "<patientBirthdate>1933-03-03</patientBirthdate>"
    )
    study = (
        f"<studyInformation><studyDate>1933-03-03</studyDate><studyID>{NAME}</studyID>"
        f"<accessionNumber>4711</accessionNumber><referringPhysicianName>{NAME}^Greg</referringPhysicianName>"
        f"<studyDescription>of {NAME}</studyDescription><studyInstanceUID>{UID}.1</studyInstanceUID></studyInformation>"
    )
    xml = Header().xml().replace("<patientName>Doe^Jane</patientName><patientID>4711</patientID>", subject)
    xml = xml.replace("<measurementInformation>", f"{study}<measurementInformation>")
    xml = xml.replace("<institutionName>Clinic", f"<institutionName>{NAME} clinic")
    assert xml.count(NAME) == 6
    return write_mrd(path.with_suffix(".h5"), lines_of(KSPACE), xml)


def _twix(path: Path) -> Path:
    more = (
        f'<XProtocol> {{ <ParamString."tPatientName"> {{ "{NAME}^A" }} <ParamString."PatientBirthDay"> {{ "{DATE}" }}\n'
        f'<ParamString."InstitutionName"> {{ "{NAME} clinic" }} <ParamString."StudyLOID"> {{ "{UID}.2" }} }}\n'
    )
    return write_twix(path.with_suffix(".dat"), Measurement(readouts_of(KSPACE), system=more))


def _dicom(path: Path) -> Path:
    array = np.arange(3 * 20 * 24, dtype=np.int16).reshape(3, 20, 24)
    extra = {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": f"{NAME}^Jane={FOREIGN}",
        "PatientID": f"{NAME}1",
        "PatientBirthDate": DATE,
        "StudyDate": DATE,
        "StudyInstanceUID": f"{UID}.3",
        "FrameOfReferenceUID": f"{UID}.4",
        "AccessionNumber": NAME,
        "InstitutionName": f"{NAME} clinic",
        "ReferringPhysicianName": f"{NAME}^Greg",
        "SeriesDescription": f"head of {NAME}",
        "StudyDescription": f"{FOREIGN} again",
        "WindowCenter": 40,
        "WindowWidth": 400,
        "WindowCenterWidthExplanation": f"{NAME} window",
    }
    for file in write_series(path, Series(array, uid=pydicom.uid.UID(f"{UID}.5"), extra=extra)):
        dataset = pydicom.dcmread(file)
        dataset.private_block(0x0009, "MAKER", create=True).add_new(1, "LO", NAME)
        dataset.save_as(file)
        file.rename(file.with_name(f"{dataset.InstanceNumber}.dcm"))
    return path


def _nifti(path: Path) -> Path:
    image = nibabel.Nifti1Image(np.random.default_rng(0).normal(size=(24, 20, 3)).astype(np.float32), np.eye(4))
    image.header["descrip"], image.header["aux_file"], image.header["db_name"] = f"of {NAME}", NAME, NAME
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", f"{NAME} {FOREIGN}".encode()))
    nibabel.save(image, path.with_suffix(".nii.gz"))
    return path.with_suffix(".nii.gz")


def _nrrd(path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(24, 20, 3)).astype(np.float32)
    header = {
        "space": "left-posterior-superior",
        "space directions": np.eye(3),
        "space origin": [0, 0, 0],
        "content": f"head of {NAME}",
        "DICOM_0010_0010": f"{NAME}^Jane",
        "patient": NAME,
    }
    nrrd.write(str(path.with_suffix(".nrrd")), values, header)
    return path.with_suffix(".nrrd")


SCANS: dict[str, Callable[[Path], Path]] = {"mrd": _mrd, "twix": _twix}
VOLUMES: dict[str, Callable[[Path], Path]] = {"dicom": _dicom, "nifti": _nifti, "nrrd": _nrrd}


def found_in(folder: Path, *, but: tuple[Path, ...] = ()) -> list[str]:
    """Every file under a folder in which a secret stands, or whose name has one. but: files and folders left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        if any(path == one or one in path.parents for one in but):
            continue
        told = [secret for secret in SECRETS if secret in str(path.relative_to(folder))]
        told += [secret for part in _parts(path) for secret in SECRETS if has(part, secret)] if path.is_file() else []
        if told:
            found.append(f"{path.relative_to(folder)}: {sorted(set(told))}")
    return found


def has(data: bytes, secret: str) -> bool:
    """Words in any of the encodings that files have; short ones only where they stand alone."""
    if len(secret) < 5:
        return any(f"{a}{secret}{b}".encode() in data for a in '"> ^' for b in '"< ^')
    shapes = [secret.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le")]
    shapes.append(secret.encode("unicode_escape").replace(b"\\\\", b"\\"))
    return any(shape in data or shape.lower() in data for shape in shapes)


def _parts(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield from _inside(data)
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        with h5py.File(path) as file:
            yield from _of_hdf5(file)


def _inside(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes, and what is packed in them."""
    yield data
    if depth < _DEEPEST and data[:2] == b"\x1f\x8b":
        yield from _inside(gzip.decompress(data), depth + 1)
    if depth < _DEEPEST and data[:2] == b"PK":
        import io

        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            yield "\n".join(packed.namelist()).encode()
            for name in packed.namelist():
                yield from _inside(packed.read(name), depth + 1)


def _told_by(values: np.ndarray) -> Iterator[bytes]:
    yield values.tobytes() if values.dtype.kind not in "OV" else b""
    if values.dtype.kind in "OSV":
        yield from (part if isinstance(part, bytes) else repr(part).encode() for part in values.ravel()[:1000].tolist())


def _of_hdf5(file: h5py.File) -> Iterator[bytes]:
    told: list[bytes] = []

    def look(name: str, thing: h5py.Group | h5py.Dataset) -> None:
        told.append(name.encode())
        told.extend(repr(value).encode() for value in thing.attrs.values())
        if isinstance(thing, h5py.Dataset):
            values = thing[()]
            told.extend(_told_by(np.asarray(values)))

    told.extend(repr(value).encode() for value in file.attrs.values())
    file.visititems(look)
    yield from told
