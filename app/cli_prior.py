"""The commands about priors: prior list, info, add and remove, and train."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli_recon import INTERRUPTED, STEPS_FORMAT, interruptible

if TYPE_CHECKING:
    from core.priors.card import ModelCard


@click.group()
def prior() -> None:
    """Diffusion priors: what there is, and what is known of them."""


@prior.command(name="list")
def list_command() -> None:
    """List the priors that can be named, where each lives, and files among them that cannot be used."""
    from core.priors.catalogue import Unreadable, survey_priors

    found = survey_priors()
    width = max((len(each.path.stem) for each in found), default=0)
    for each in found:
        origin = "bundled" if each.bundled else "added"
        if not isinstance(each, Unreadable) and each.package:
            click.echo(f"{each.path.stem:<{width}}  plug-in             {_about(each.card):<36}  {each.package}")
            continue
        if isinstance(each, Unreadable):
            click.echo(f"{each.path.stem:<{width}}  unreadable       {each.trouble} {each.path}")
            continue
        megabytes = f"{each.path.stat().st_size / 1e6:.1f} MB"
        click.echo(f"{each.path.stem:<{width}}  {origin:<7} {megabytes:>10}  {_about(each.card):<36}  {each.path}")


def _about(card: ModelCard) -> str:
    return f"{card.modality}, {card.anatomy}, {card.channels} channel{'s' * (card.channels != 1)}"


@prior.command(name="info")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the model card as JSON.")
@click.option("--verify", is_flag=True, help="Check that the weights are the ones on the card.")
def info_command(name: str, as_json: bool, verify: bool) -> None:
    """Print what is known of the prior NAME, or what a checkpoint file would be."""
    from core.priors.catalogue import bundled_folder, find_prior, user_folder
    from core.priors.page import count_parameters, page

    path = find_prior(name)
    origin = {bundled_folder(): "bundled", user_folder(): "added"}.get(path.parent, "a file, not added")
    card = _card_of(path)
    if verify or not card.sha256:
        from core.priors.registry import verify_weights

        origin += ", weights verified" if card.sha256 else ""
        card = card.with_changes(sha256=verify_weights(card, path))
    if as_json:
        counted = card.parameters or count_parameters(path)
        click.echo(card.with_changes(parameters=counted).to_json(), nl=False)
    else:
        click.echo(page(card, path, origin), nl=False)


def _card_of(path: Path) -> ModelCard:
    """The card beside a prior; the network of a checkpoint without one is recognised."""
    from core.priors.card import read_card
    from core.priors.catalogue import has_card

    if has_card(path):
        return read_card(path.with_suffix(".json"))
    from core.priors.registry import examine

    return examine(path)[0]


@prior.command(name="add")
@click.argument("file")
@click.option("--as", "name", help="Name of the prior; the file's own otherwise.")
@click.option("--heads", type=click.IntRange(min=1), help="Number of attention heads.")
@click.option("--head-channels", type=click.IntRange(min=1), help="Channels of each attention head.")
@click.option(
    "--new-attention-order/--old-attention-order",
    default=None,
    help="Whether query, key and value are kept one after the other, or head by head.",
)
@click.option("--image-size", type=click.IntRange(min=1), help="Pixels along the images it was trained on.")
@click.option("--modality", type=click.Choice(["MR", "CT"]), help="What it was trained on.")
@click.option("--anatomy", help="Part of the body that it was trained on.")
@click.option("--config", help="JSON file of the configuration it was trained with.")
@click.option("--force", is_flag=True, help="Replace a prior of this name, or hide the bundled one.")
def add_command(file: str, name: str | None, config: str | None, force: bool, **said: Any) -> None:
    """Add the checkpoint FILE (.pt, .pth, .safetensors): recognise its network, convert it and write its card."""
    from core.priors.adding import add_prior
    from core.priors.page import page
    from core.priors.recognition import Hints

    hints = Hints(**{key: value for key, value in said.items() if value is not None})
    entry = add_prior(file, name, config=config, hints=hints, force=force)
    click.echo(page(entry.card, entry.path, "added"), nl=False)


@prior.command(name="remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_command(name: str, yes: bool) -> None:
    """Delete the prior NAME that was added, with its card and pictures."""
    from core.priors.adding import removable, remove_prior

    path = removable(name)
    if not yes and not click.confirm(f"Delete {path} and its card?", err=True):
        click.echo("Kept.")
        return
    remove_prior(name)
    click.echo(f"Removed {name}.")


@click.command()
@click.option("--recipe", help="JSON file of a training recipe; see resources/priors for the bundled ones.")
@click.option(
    "--data",
    multiple=True,
    help="File or folder to learn from (DICOM, NIfTI, NRRD, arrays, raw scans), or phantom:head, phantom:head-ct,"
    " phantom:chest, phantom:abdomen, phantom:leaves.",
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
                levels = ", ".join(f"from t={t}: {loss:.3f}" for t, loss in progress.loss_by_level.items())
                bar.write(f"Step {progress.step}, loss {levels}", file=sys.stderr)
            if stop.ending:
                training.close()
                break
    if stop.ending:
        click.echo(f"Interrupted. The same command goes on from {out}.", err=True)
        sys.exit(INTERRUPTED)
    click.echo(f"{Path(out) / chosen.name}.safetensors")
