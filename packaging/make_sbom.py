"""Writes dist/dds-viewer.cdx.json: what the program is made of, as a CycloneDX software bill of materials.

    make sbom    (or: the tools' python, packaging/make_sbom.py FILE)

cyclonedx-py describes what is installed beside the program; kept is what it needs at run time, with the hashes of the
lock. The bundled priors are in it as models. The file is checked against the schema of CycloneDX.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
LOCK = ROOT / "packaging" / "lock-linux.txt"
Bom = dict[str, Any]


def main(target: Path) -> int:
    from app.licences import needed

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bom = kept(described(), set(needed(project["dependencies"])))
    bom["components"] += [model(file) for file in sorted((ROOT / "resources" / "priors").glob("*.safetensors"))]
    text = json.dumps(bom, indent=1, ensure_ascii=False)
    if trouble := wrong_with(text, bom["specVersion"]):
        print(trouble, file=sys.stderr)
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    print(f"{target}: CycloneDX {bom['specVersion']}, {len(bom['components'])} components, valid")
    return 0


def described() -> Bom:
    """All that is installed in the program's environment."""
    beside = Path(sys.executable).with_name("cyclonedx-py")
    command = [str(beside), "environment", str(ROOT / ".venv"), "--pyproject", str(ROOT / "pyproject.toml")]
    command += ["--mc-type", "application", "--output-reproducible", "--gather-license-texts", "--of", "JSON"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        sys.exit(told.stderr)
    found: Bom = json.loads(told.stdout)
    return found


def kept(bom: Bom, names: set[str]) -> Bom:
    """Only components of these names, each with the hashes of its files, and the links between them."""
    import core

    bom["metadata"]["component"]["version"] = core.__version__
    hashes = hashes_of(LOCK.read_text("utf-8"))
    bom["components"] = [each for each in bom["components"] if canonicalize_name(each["name"]) in names]
    for component in bom["components"]:
        found = hashes.get(canonicalize_name(component["name"]), [])
        # Where it is installed from is a matter of this machine.
        others = [each for each in component.get("externalReferences", []) if not each["url"].startswith("file:")]
        url = f"https://pypi.org/project/{component['name']}/{component['version'].partition('+')[0]}/"
        listed = [{"alg": "SHA-256", "content": content} for content in found]
        component["externalReferences"] = [*others, {"type": "distribution", "url": url, "hashes": listed}]
    refs = {each["bom-ref"] for each in (*bom["components"], bom["metadata"]["component"])}
    bom["dependencies"] = [
        {"ref": each["ref"], "dependsOn": [ref for ref in each.get("dependsOn", []) if ref in refs]}
        for each in bom["dependencies"]
        if each["ref"] in refs
    ]
    return bom


def hashes_of(lock: str) -> dict[str, list[str]]:
    """SHA-256 of the files of each package, by its name, from the text of a lock."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if begun := re.match(r"([A-Za-z0-9._-]+)==", line):
            name = canonicalize_name(begun[1])
        found.setdefault(name, []).extend(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return found


def model(file: Path) -> Bom:
    """A bundled prior as a component."""
    import core

    content = hashlib.sha256(file.read_bytes()).hexdigest()
    return {
        "type": "machine-learning-model",
        "bom-ref": f"prior-{file.stem}",
        "name": file.stem,
        "version": core.__version__,
        "hashes": [{"alg": "SHA-256", "content": content}],
    }


def wrong_with(text: str, version: str) -> str:
    """What the schema of CycloneDX says against it, "" for nothing."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    found = JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(text)
    return f"{found}" if found is not None else ""


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
