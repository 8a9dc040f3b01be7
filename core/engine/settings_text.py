"""Settings as people write them, on a command line or in a YAML file: single values, lists and ranges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.engine.settings import ReconSettings, choices_of, type_of
from core.errors import JobError

SOURCE_TYPES: dict[str, type] = {"undersample": str, "center": float, "size": int}
"""What of a ScanSource can be varied as if it were a setting."""

MOST_VALUES = 1000
"""Of one setting."""

MOST_BYTES = 2**20
"""Of a settings file."""

_RANGES = "Write values such as 10,20,50, a range FIRST:LAST:STEP, or FIRST:LAST:logN for N values evenly in the log."
_SOURCE_WORDS = ("axes", "domain", "slices", *SOURCE_TYPES)
_OTHER_WORDS = ("preset", "reference", "mask", "resample", "keep_images", "vary")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class SettingsFile:
    """What a settings file says.

    given: settings by name. source: what it says of the scan, by the names of ScanSource; slices as text. vary: the
    values of each setting that is varied, in the order of the file. reference, mask: paths, or "".
    """

    given: dict[str, Any] = field(default_factory=dict)
    preset: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    vary: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    reference: str = ""
    keep_images: bool = False
    mask: str = ""
    resample: bool = False


def name_of(text: str) -> str:
    """The setting that a word means, "cg-steps" like "cg_steps". Raises JobError for none."""
    name = text.strip().replace("-", "_")
    known = [f.name for f in fields(ReconSettings)]
    if name not in (*known, *SOURCE_TYPES):
        raise JobError(
            f"{shown(text)} is not a setting.", "", f"Settings are {', '.join(sorted([*known, *SOURCE_TYPES]))}."
        )
    return name


def shown(word: str, longest: int = 60) -> str:
    """A word in quotes, as much of it as fits into a sentence."""
    return repr(word if len(word) <= longest else f"{word[: longest - 1]}…")


def value_of(name: str, text: str) -> Any:
    """One value of a setting from its text. Raises JobError where it is not of the setting's type."""
    kind, word = _type_of(name), text.strip()
    if kind is bool:
        if word.lower() not in (*_TRUE, *_FALSE):
            raise JobError(f"{name} cannot be {shown(word)}.", "", "Write true or false.")
        return word.lower() in _TRUE
    if kind is int:
        return _whole(name, word)
    if kind is float:
        return _number(name, word)
    return word


def values_of(name: str, text: str | Sequence[str]) -> tuple[Any, ...]:
    """The values of a setting in their order, none twice, from "10,20,50", "5:50:5", "1e-4:1e-2:log5" or a list.

    Both ends of a range belong to it. Values in words are split at ";" where there is one, else at ",". Raises
    JobError for what cannot be read and for more than MOST_VALUES.
    """
    kind = _type_of(name)
    if isinstance(text, str):
        words = kind is str and ";" in text
        text = text.split(";" if words else ",")
    found: list[Any] = []
    for part in text:
        if not part.strip():
            raise JobError(f"The values of {name} have a gap.", "One of them is empty.", _RANGES)
        ranged = kind in (int, float) and ":" in part
        found += _range(name, part) if ranged else [value_of(name, part)]
        if len(found) > MOST_VALUES:
            raise JobError(f"{name} has too many values.", f"More than {MOST_VALUES}.", "Take a larger step.")
    if not found:
        raise JobError(f"{name} has no values.", "", _RANGES)
    return tuple(dict.fromkeys(found))


def parse_vary(text: str) -> tuple[str, tuple[Any, ...]]:
    """The name and the values of "NAME=VALUES". Raises JobError."""
    name, equals, values = text.partition("=")
    if not equals:
        raise JobError(f"{shown(text)} says no values.", "", "Write NAME=VALUES, for example nfe=10,20,50.")
    return name_of(name), values_of(name_of(name), values)


def read_settings_file(path: Path) -> SettingsFile:
    """The settings in a YAML file. Raises JobError for a file that cannot be read and for each word not known.

    Keys: any setting; preset; of the scan axes, domain, slices, undersample, center, size; reference and mask, which
    are looked for from the file's folder; resample; keep_images; and vary, which holds lists or ranges by the names of
    settings.
    """
    values = _mapping(_loaded(path), path.name)
    vary = values.pop("vary", {})
    given: dict[str, Any] = {}
    source: dict[str, Any] = {}
    for key in [k for k in values if k not in _OTHER_WORDS]:
        text = _word(values[key], key)
        if key in _SOURCE_WORDS:
            source[key] = value_of(key, text) if key in SOURCE_TYPES else text
        else:
            given[name_of(key)] = value_of(name_of(key), text)
    reference, mask = (_word(values.get(key, ""), key) for key in ("reference", "mask"))
    return SettingsFile(
        given,
        _word(values.get("preset", ""), "preset"),
        source,
        {name_of(k): values_of(name_of(k), _words(v, k)) for k, v in _mapping(vary or {}, "vary").items()},
        str(path.parent / reference) if reference else "",
        _flag(values.get("keep_images", "false"), "keep_images"),
        str(path.parent / mask) if mask else "",
        _flag(values.get("resample", "false"), "resample"),
    )


def _loaded(path: Path) -> Any:
    """What the file holds, all its values as text: YAML itself would take 1:9:2 for a time of day."""
    import yaml

    class Plain(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # yaml's own name

    how = "Write lines such as nfe: 20."
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise JobError(f"{path.name} is no settings file.", "It is larger than 1 MiB.", how)
        loader = Plain(data.decode("utf-8"))
        try:
            return _plain(loader.get_single_node(), {})
        finally:
            loader.dispose()
    except OSError as error:
        reason = error.strerror or str(error)
        raise JobError(f"{path.name} cannot be read.", f"{reason}.", "Check the path.") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:300]
        raise JobError(f"{path.name} is not YAML.", f"{reason}.", how) from error


def _plain(node: Any, known: dict[int, Any]) -> Any:
    """The texts, lists and mappings of a YAML node, and no other types; what is named twice is made once."""
    import yaml

    if node is not None and node.tag.removeprefix("tag:yaml.org,2002:") not in ("str", "seq", "map"):
        raise ValueError(f"the type {shown(node.tag)} is not read")
    if node is None or isinstance(node, yaml.ScalarNode):
        return None if node is None else node.value
    if id(node) in known:
        return known[id(node)]
    made: Any = {} if isinstance(node, yaml.MappingNode) else []
    known[id(node)] = made
    if isinstance(node, yaml.MappingNode):
        made.update({_key(key, known): _plain(value, known) for key, value in node.value})
    else:
        made.extend(_plain(part, known) for part in node.value)
    return made


def _key(node: Any, known: dict[int, Any]) -> str:
    key = _plain(node, known)
    if not isinstance(key, str):
        raise ValueError("a name is no word")
    return key


def _mapping(found: Any, name: str) -> dict[str, Any]:
    if found is None or found == "":
        return {}
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise JobError(f"{name} does not hold names with values.", "", "Write lines such as nfe: 20.")
    return dict(found)


def _word(found: Any, key: str) -> str:
    if not isinstance(found, str):
        raise JobError(f"{key} must be one value.", "", "Settings to vary stand under vary:.")
    return found


def _words(found: Any, key: str) -> str | list[str]:
    if isinstance(found, list):
        return [_word(part, key) for part in found]
    return _word(found, key)


def _flag(found: Any, key: str) -> bool:
    return _word(found, key).lower() in _TRUE


def _type_of(name: str) -> type:
    """int, float, bool or str."""
    if name in SOURCE_TYPES:
        return SOURCE_TYPES[name]
    found: type = str if choices_of(name) else type_of(name)
    return found


def _number(name: str, word: str) -> float:
    try:
        number = float(word)
    except ValueError as error:
        raise JobError(f"{name} cannot be {shown(word)}.", "It must be a number.", _RANGES) from error
    if not math.isfinite(number):
        raise JobError(f"{name} cannot be {shown(word)}.", "It must be a finite number.", _RANGES)
    return number


def _whole(name: str, word: str) -> int:
    number = _number(name, word)
    if number != int(number):
        raise JobError(f"{name} cannot be {shown(word)}.", "It must be a whole number.", _RANGES)
    return int(number)


def _range(name: str, part: str) -> list[Any]:
    """FIRST:LAST:STEP or FIRST:LAST:logN, the ends included."""
    words = [word.strip() for word in part.split(":")]
    if len(words) != 3:
        raise JobError(f"The range {shown(part)} of {name} cannot be read.", "", _RANGES)
    first, last = _number(name, words[0]), _number(name, words[1])
    if words[2].lower().startswith("log"):
        numbers = _log_spaced(name, part, first, last, words[2][3:])
    else:
        numbers = _evenly_spaced(name, part, first, last, _number(name, words[2]))
    read: Callable[[float], Any] = round if _type_of(name) is int else _tidy
    if read is round and words[2].isdigit() is False and not words[2].lower().startswith("log"):
        raise JobError(
            f"The range {shown(part)} of {name} cannot be used.", "Its step must be a whole number.", _RANGES
        )
    return [read(number) for number in numbers]


def _evenly_spaced(name: str, part: str, first: float, last: float, step: float) -> list[float]:
    if step <= 0 or last < first:
        why = "The step must be above 0." if step <= 0 else "It ends before it begins."
        raise JobError(f"The range {shown(part)} of {name} is empty.", why, _RANGES)
    count = (last - first) / step * (1 + 1e-12) + 1e-9
    if count >= MOST_VALUES:
        raise JobError(
            f"The range {shown(part)} of {name} is too long.", f"Over {MOST_VALUES} values.", "Take larger steps."
        )
    return [first + k * step for k in range(int(count) + 1)]


def _log_spaced(name: str, part: str, first: float, last: float, count: str) -> list[float]:
    if not count.isdecimal() or not 2 <= int(count[:9]) <= MOST_VALUES:
        raise JobError(
            f"The range {shown(part)} of {name} cannot be read.", f"Write log2 to log{MOST_VALUES}.", _RANGES
        )
    if not 0 < first < last:
        raise JobError(
            f"The range {shown(part)} of {name} is not one.", "0 < FIRST < LAST is needed for a log.", _RANGES
        )
    low, high, number = math.log(first), math.log(last), int(count)
    inner = [math.exp(low + k / (number - 1) * (high - low)) for k in range(1, number - 1)]
    return [first, *inner, last]


def _tidy(number: float) -> float:
    """Without the dust of the arithmetic: 0.30000000000000004 is 0.3."""
    return float(f"{number:.10g}")
