"""The command doctor: what of this machine the program can use, and what to do where it cannot."""

from __future__ import annotations

import json
import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--probe", is_flag=True, hidden=True, help="Only what Qt and OpenGL say.")
def doctor(as_json: bool, probe: bool) -> None:
    """Check this machine: Python, Qt, OpenGL, torch and CUDA, memory, priors and their hashes, plug-ins, folders.

    Exit code 1 if something hinders the program.
    """
    if probe:
        from app.bridge.machine_probe import answer

        answer()
        return
    from app.bridge.machine import Finding, Level, examine

    findings: list[Finding] = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            click.echo(f"{finding.level.value:<4} {finding.name + ':':<14} {finding.found}")
            if finding.advice:
                click.echo(f"     {'':<14} {finding.advice}")
    healthy = all(finding.level is not Level.FAULT for finding in findings)
    if as_json:
        click.echo(json.dumps({"healthy": healthy, "findings": [f.to_dict() for f in findings]}, indent=1))
    sys.exit(0 if healthy else 1)
