"""Asks for known weaknesses of everything in the locks. Needs the network: pip-audit asks PyPI, or OSV where told.

    make audit    (or: the tools' python, packaging/audit.py [pypi|osv])

Exit status 0: none, beside those that packaging/audit-ignored.txt explains. 1: some. 3: nothing could be asked for all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
IGNORED = HERE / "audit-ignored.txt"
FOUND, NOT_ASKED = 1, 3


def main(service: str) -> int:
    wanted = everything()
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("".join(f"{each}\n" for each in wanted), "utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--no-deps", "--disable-pip"]
        command += ["--vulnerability-service", service, "--format", "json", "--progress-spinner", "off"]
        command += [word for name in explained() for word in ("--ignore-vuln", name)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answers = json.loads(told.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(told.stderr.strip().rpartition("\n")[2][:400], file=sys.stderr)
        print(f"The service {service} did not answer: nothing was audited.", file=sys.stderr)
        return NOT_ASKED
    return judged(answers, service)


def judged(answers: list[dict[str, object]], service: str) -> int:
    """Tells what was found; the exit status."""
    skipped = [each for each in answers if "skip_reason" in each]
    weak = [each for each in answers if each.get("vulns")]
    for each in weak:
        for found in each["vulns"]:  # type: ignore[attr-defined]
            better = ", ".join(found["fix_versions"]) or "none yet"
            print(f"{each['name']} {each['version']}: {found['id']}, mended in {better}. {found['description'][:200]}")
    print(f"{len(answers) - len(skipped)} packages audited, {len(weak)} with weaknesses, {len(skipped)} not audited.")
    if skipped:
        names = ", ".join(str(each["name"]) for each in skipped[:8])
        print(f"The service {service} knows nothing of {names}{' ...' if len(skipped) > 8 else ''}.", file=sys.stderr)
    return FOUND if weak else NOT_ASKED if skipped else 0


def everything() -> list[str]:
    """NAME==VERSION of all locks. "+cpu" is unknown to PyPI: it is the same torch, built without CUDA."""
    found = set()
    for lock in sorted(HERE.glob("lock-*.txt")):
        found |= set(re.findall(r"^([A-Za-z0-9._-]+==[^\s+;\\]+)", lock.read_text("utf-8"), re.MULTILINE))
    return sorted(found)


def explained() -> list[str]:
    """Identifiers of weaknesses that do no harm here; each line of the file tells why."""
    lines = (line.partition("#")[0].strip() for line in IGNORED.read_text("utf-8").splitlines())
    return [line for line in lines if line]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "pypi"))
