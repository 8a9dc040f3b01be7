"""Networks are told from their names and shapes alone, and what is no prior is refused in words that say what it is."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.diffusion.unet import AdmConfig, AdmUNet
from core.errors import PriorError
from core.priors.checkpoint import read_state_dict
from core.priors.file_kinds import kind_of
from core.priors.first_card import first_card
from core.priors.published import PUBLISHED, published_name
from core.priors.recognition import Hints, recognise
from core.priors.strangers import likely


def meta_network(config: dict[str, Any]) -> AdmUNet:
    with torch.device("meta"):
        return AdmUNet(AdmConfig.from_published(config))


def golden_weights(golden: Path, name: str) -> dict[str, torch.Tensor]:
    shapes = json.loads((golden / "official_configs.json").read_text())[name]["state_dict"]
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


@pytest.mark.parametrize(
    ("name", "modality", "anatomy", "size"),
    [("AAPM256", "CT", "abdomen", 256), ("fastmri_knee_320_complex", "MR", "knee", 320)],
)
def test_the_published_networks_get_what_is_known_of_them(golden: Path, name, modality, anatomy, size) -> None:
    weights = golden_weights(golden, name)
    assert published_name(weights) == name
    found = recognise(weights, "fastmri_brain_320_complex_1m.pth")
    card = first_card("brain", found, Hints())
    assert (card.modality, card.image_size) == (modality, size)
    assert anatomy in card.anatomy
    assert (card.parametrization, card.noise_schedule) == ("eps", "vp-linear")
    assert card.parameters == sum(t.numel() for t in weights.values())
    assert "brain" not in card.anatomy
    assert "none stated" in card.licence
    assert not any("heads" in warning for warning in card.warnings)
    official = json.loads((golden / "official_configs.json").read_text())[name]["config"]
    assert meta_network(card.config).config == AdmConfig.from_published(official | {"channel_mult": "1,1,2,2,4,4"}) or (
        name == "fastmri_knee_320_complex"  # its attention at a factor of 20 stands nowhere
        and card.config["attention_factors"] == []
    )


def test_the_knee_prior_is_said_to_be_one(golden: Path) -> None:
    card = first_card("brain", recognise(golden_weights(golden, "fastmri_knee_320_complex"), "brain.pt"), Hints())
    assert any("knees, also where its file is called brain" in warning for warning in card.warnings)


def test_one_other_shape_is_not_the_published_network(golden: Path) -> None:
    weights = golden_weights(golden, "AAPM256")
    weights["out.2.bias"] = torch.empty(3)
    assert published_name(weights) is None
    assert published_name({key: value for key, value in weights.items() if key != "out.2.bias"}) is None


BUILDS = [
    {"in_channels": channels, "num_channels": width, "num_res_blocks": blocks, "channel_mult": multipliers,
     "attention_factors": attention, "learn_sigma": learned, "use_scale_shift_norm": shift, "resblock_updown": residual,
     "conv_resample": convolved, "num_heads": 1}
    for channels, width, blocks, multipliers, attention, learned, shift, residual, convolved in [
        (1, 32, 1, "1,2", [2], True, True, True, True),
        (2, 32, 2, "1,1,2", [], False, False, False, True),
        (3, 64, 3, "1,2,2,4", [2, 8], True, True, True, True),
        (1, 64, 1, "0.5,1,1,2,2,4,4", [1, 32], False, True, False, True),
        (2, 32, 1, "1,2,3", [1, 2, 4], True, False, False, False),
        (2, 32, 5, "1", [1], True, True, True, True),
        (1, 32, 2, "1,1,1,1,1,1", [4], True, True, True, True),
    ]
]  # fmt: skip


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build["channel_mult"])
def test_every_build_is_read_from_its_weights(build: dict[str, Any]) -> None:
    network = meta_network(build)
    found = recognise(dict(network.state_dict()), "net.pt", Hints(heads=1))
    again = meta_network(found.config)
    assert again.config == network.config
    assert found.config["image_size"] is None
    assert found.channels == build["in_channels"]


def test_heads_are_taken_as_said_or_assumed_with_a_warning() -> None:
    weights = dict(meta_network(BUILDS[2]).state_dict())
    assumed = recognise(weights, "net.pt")
    assert meta_network(assumed.config).config.heads_at(256) == 4
    assert any("heads" in warning and "64" in warning for warning in assumed.warnings)
    said = recognise(weights, "net.pt", Hints(heads=8))
    assert meta_network(said.config).config.heads_at(256) == 8
    assert meta_network(recognise(weights, "net.pt", Hints(head_channels=32)).config).config.heads_at(256) == 8
    assert not any("heads" in warning for warning in said.warnings)
    with pytest.raises(PriorError, match="do not fit"):
        recognise(weights, "net.pt", Hints(heads=7))
    narrow = recognise(dict(meta_network(BUILDS[0] | {"num_channels": 32, "channel_mult": "1,3"}).state_dict()), "n.pt")
    assert meta_network(narrow.config).config.heads_at(96) == 1
    assert any("single head" in warning for warning in narrow.warnings)


def test_the_order_of_attention_and_the_size_can_be_said() -> None:
    weights = dict(meta_network(BUILDS[2]).state_dict())
    found = recognise(weights, "net.pt", Hints(new_attention_order=True, image_size=64, heads=4))
    card = first_card("net", found, Hints(image_size=64, modality="CT", anatomy="lung"))
    assert meta_network(card.config).config.new_attention_order
    assert (card.image_size, card.modality, card.anatomy) == (64, "CT", "lung")
    assert not any("order" in warning for warning in card.warnings)
    assert any("three channels" in warning for warning in card.warnings)
    asked = recognise(weights, "net.pt", Hints(config={"num_head_channels": 32, "use_new_attention_order": True}))
    assert meta_network(asked.config).config.heads_at(256) == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label_emb.weight": (10, 128)}, "class"),
        ({"input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight": (8, 8)}, "text"),
        ({"out.2.weight": (7, 32, 3, 3)}, "another image"),
        ({"input_blocks.1.0.out_layers.3.weight": (40, 40, 3, 3)}, "do not fit|built"),
        ({"time_embed.0.weight": (3,)}, "built in another way"),
        ({"input_blocks.9.0.in_layers.2.weight": (32, 32, 3, 3)}, "do not fit|built"),
    ],
)
def test_relatives_are_refused(change: dict[str, tuple[int, ...]], words: str) -> None:
    weights = dict(meta_network(BUILDS[0]).state_dict())
    weights |= {key: torch.empty(shape, device="meta") for key, shape in change.items()}
    with pytest.raises(PriorError, match=words):
        recognise(weights, "net.pt")


def test_latent_and_encoder_networks_are_refused() -> None:
    with pytest.raises(PriorError, match="4 channels"):
        recognise(dict(meta_network(BUILDS[0] | {"in_channels": 4}).state_dict()), "net.pt")
    encoder = {k: v for k, v in meta_network(BUILDS[0]).state_dict().items() if not k.startswith(("output", "out."))}
    with pytest.raises(PriorError, match="encoder only"):
        recognise(dict(encoder), "net.pt")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["down_blocks.0.resnets.0.conv1.weight", "conv_in.weight"], "diffusers UNet2DModel"),
        (["down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"], "UNet2DConditionModel"),
        (["encoder.down.0.block.0.conv1.weight", "quant_conv.weight"], "autoencoder"),
        (["encoder.down_blocks.0.resnets.0.conv1.weight", "quant_conv.weight"], "autoencoder"),
        (["diffusion_model.input_blocks.0.0.weight", "cond_stage_model.x"], "Stable Diffusion"),
        (["diffusion_model.input_blocks.0.0.weight", "first_stage_model.x"], "latent diffusion"),
        (["transformer.h.0.attn.qkv.weight"], "transformer"),
        (["init_conv.weight", "downs.0.0.block1.proj.weight"], "denoising_diffusion_pytorch"),
        (["layer1.0.conv1.weight", "fc.weight"], "classifier"),
        (["down.0.0.film.weight", "stem.weight"], "without its card"),
        (["weight"], ""),
    ],
)
def test_strangers_are_named(names: list[str], words: str) -> None:
    assert words in likely(names)
    with pytest.raises(PriorError) as caught:
        recognise({name: torch.zeros(2) for name in names}, "net.pt")
    assert words in caught.value.why
    assert names[0] in caught.value.why
    assert caught.value.try_this


def files(folder: Path) -> dict[str, tuple[bytes, str]]:
    text = b"nothing here is a network"
    torch.save([torch.zeros(2)], folder / "list.pt")
    torch.save({"a": 1, "b": "two"}, folder / "plain.pt")
    torch.save(torch.nn.Linear(2, 2), folder / "module.pt")
    torch.save({"w": torch.zeros(2)}, folder / "old.pt", _use_new_zipfile_serialization=False)
    torch.save({"w": torch.zeros(999)}, folder / "whole.pt")
    old, whole = (folder / "old.pt").read_bytes(), (folder / "whole.pt").read_bytes()
    return {
        "picture.pt": (b"\x89PNG\r\n\x1a\n" + bytes(600), "PNG picture"),
        "empty.pt": (b"", "an empty file"),
        "text.pt": (text, "a text file"),
        "page.pth": (b"<!DOCTYPE html><html>" + bytes(10), "a web page"),
        "lfs.safetensors": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        "noise.pt": (bytes(range(7, 250)) * 4, "no kind of file"),
        "cut.pt": (whole[: len(whole) // 2], "not a whole"),
        "cut_old.pt": (old[: len(old) // 2], "not a whole|refused"),
        "list.pt": ((folder / "list.pt").read_bytes(), "It is a list"),
        "plain.pt": ((folder / "plain.pt").read_bytes(), r"2 entries \(a, b\)"),
        "module.pt": ((folder / "module.pt").read_bytes(), r"refused.*torch\.nn\.modules\.linear\.Linear"),
        "cut.safetensors": ((99).to_bytes(8, "little") + b'{"w":{"dtype":"F32"', "not a whole"),
    }


SPOILED = "picture.pt empty.pt text.pt page.pth lfs.safetensors noise.pt cut.pt cut_old.pt list.pt plain.pt module.pt"


@pytest.mark.parametrize("name", [*SPOILED.split(), "cut.safetensors"])
def test_files_that_hold_no_weights_are_refused_by_what_they_are(tmp_path: Path, name: str) -> None:
    content, words = files(tmp_path)[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PriorError, match=words):
        read_state_dict(tmp_path / name)


def test_the_contents_and_not_the_name_decide(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"w": torch.ones(3)}, tmp_path / "a.pt")
    torch.save({"w": torch.ones(3)}, tmp_path / "b.safetensors")
    torch.save({"w": torch.ones(3)}, tmp_path / "c.ckpt", _use_new_zipfile_serialization=False)
    for name in ("a.pt", "b.safetensors", "c.ckpt"):
        assert read_state_dict(tmp_path / name)["w"].tolist() == [1, 1, 1]
    assert kind_of(tmp_path / "a.pt") == "safetensors"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), ncsnpp=st.booleans())
@example(seed=393, ncsnpp=True)
def test_spoiled_networks_never_end_in_another_error(seed: int, ncsnpp: bool) -> None:
    """Entries lost, renamed, reshaped: a PriorError, or a network that has exactly these entries."""
    from core.diffusion.ncsnpp import NcsnPlusPlus, NcsnppConfig

    rng = random.Random(seed)
    with torch.device("meta"):
        score = NcsnPlusPlus(NcsnppConfig(1, 16, (1, 2), 1, (0,)))
    weights = dict(meta_network(BUILDS[0]).state_dict())
    if ncsnpp:
        own = score.state_dict()
        weights = {f"all_modules.{rank}.{entry}": own[name] for rank, entry, name in score.published_names()}
    for key in rng.sample(list(weights), rng.randint(1, 4)):
        old = weights.pop(key)
        kind = rng.randrange(4)
        if kind == 1:
            weights[key] = torch.empty([max(n + rng.choice((-n, -1, 1)), 0) for n in old.shape], device="meta")
        elif kind == 2:
            weights[key] = torch.empty(old.shape[: rng.randrange(len(old.shape) + 1)], device="meta")
        elif kind == 3:
            weights[key.replace("0", str(rng.randrange(12)), 1)] = old
    with suppress(PriorError):
        found = recognise(weights, "net.pt")
        assert sorted(map(tuple, (t.shape for t in found.weights.values()))) == sorted(
            map(tuple, (t.shape for t in weights.values()))
        )


def test_the_configurations_of_the_published_networks_are_complete() -> None:
    for config in PUBLISHED.values():
        assert meta_network(config).config.head_channels == 64
