"""The commands about priors: prior list, prior info and train."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.cli_recon import INTERRUPTED, STEPS_FORMAT, interruptible


@click.group()
def prior() -> None:
    """Diffusion priors: what there is, and what is known of them."""


@prior.command(name="list")
def list_command() -> None:
    """List the priors that can be named, and where each lives."""
    from core.priors.catalogue import list_priors

    for entry in list_priors():
        card = entry.card
        origin = "bundled" if entry.bundled else "added"
        about = f"{card.modality}, {card.anatomy}, {card.channels} channel{'s' * (card.channels > 1)}"
        click.echo(f"{entry.path.stem:<16} {origin:<8} {about:<36} {entry.path}")


@prior.command(name="info")
@click.argument("name")
def info_command(name: str) -> None:
    """Print the model card of the prior NAME, or of a checkpoint file."""
    from core.priors.registry import load_prior

    click.echo(load_prior(name).card.to_json(), nl=False)


@click.command()
@click.option("--recipe", help="JSON file of a training recipe; see resources/priors for the bundled ones.")
@click.option(
    "--data",
    multiple=True,
    help="File or folder to learn from (DICOM, NIfTI, NRRD, arrays, raw scans), or phantom:head.",
)
@click.option("--out", required=True, help="Folder for checkpoints, the prior, its card and its sample sheets.")
@click.option("--steps", type=click.IntRange(min=1), help="Optimizer steps.")
@click.option("--name", help="Name of the prior.")
def train(recipe: str | None, data: tuple[str, ...], out: str, steps: int | None, name: str | None) -> None:
    """Train a prior; goes on where an earlier training in the same folder was stopped."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    from core.engine.stop import Stop
    from core.priors.training import recipe_from_options
    from core.priors.training import train as run_training

    chosen = recipe_from_options(Path(recipe) if recipe else None, data, steps=steps, name=name)
    stop = Stop()
    training = run_training(chosen, Path(out))
    with interruptible(stop), tqdm(total=chosen.steps, file=sys.stderr, bar_format=STEPS_FORMAT) as bar:
        for progress in training:
            bar.set_description_str(progress.doing.capitalize(), refresh=False)
            bar.set_postfix_str(f"loss {progress.loss:.4f}", refresh=False)
            bar.update(progress.step - bar.n)
            if progress.validation:
                figures = ", ".join(f"t={t}: {psnr:.1f} dB" for t, psnr in progress.validation.items())
                bar.write(f"Step {progress.step}, denoising: {figures}", file=sys.stderr)
            if stop.ending:
                training.close()
                break
    if stop.ending:
        click.echo(f"Interrupted. The same command goes on from {out}.", err=True)
        sys.exit(INTERRUPTED)
    click.echo(f"{Path(out) / chosen.name}.safetensors")
