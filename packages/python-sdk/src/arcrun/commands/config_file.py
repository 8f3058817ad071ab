"""The config file, written: settings are changed where they stand, and everything else stays as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun._core.config import parse_file
from arcrun._core.secret import Secret

from .errors import CommandError
from .sentences import sentence

if TYPE_CHECKING:
    import yaml

_Keys = tuple[str, ...]


def write_settings(path: Path, profile: str | None, settings: Mapping[str, str | None]) -> None:
    """Change settings of the config file, which only its owner can read afterwards.

    Args:
        path: the file; it is made if it is missing.
        profile: whose settings; None for those at the top.
        settings: the values by name; None removes one.

    Raises:
        CommandError: the file can't be written.
        ConfigurationError: it is not a mapping in YAML.
    """
    text = _read(path)
    keys: _Keys = ("profiles", profile) if profile else ()
    for name, value in settings.items():
        text = changed(text, (*keys, name), value, str(path))
    _write(path, text)


def replace_key(path: Path, profile: str | None, old: str, new: str | None) -> list[str]:
    """Change a key wherever the config file has it, in one write: it is the same key in each profile.

    Args:
        path: the file.
        profile: whose key it is in any case; None for the one at the top.
        old: the key.
        new: the new one; None removes it.

    Returns:
        The other profiles that had it; "" stands for the top.

    Raises:
        CommandError: the file can't be written.
        ConfigurationError: it is not a mapping in YAML.
    """
    text = _read(path)
    file = parse_file(Secret(text), str(path))
    profiles: Any = file.get("profiles")
    places: dict[str | None, Any] = {None: file}
    places |= profiles if isinstance(profiles, Mapping) else {}
    others = [
        name
        for name, values in places.items()
        if name != profile and isinstance(values, Mapping) and values.get("api_key") == old
    ]
    for name in (profile, *others):
        keys: _Keys = ("profiles", name) if name else ()
        text = changed(text, (*keys, "api_key"), new, str(path))
    _write(path, text)
    return [name or "" for name in others]


def changed(text: str, keys: _Keys, value: str | None, where: str = "the config file") -> str:
    r"""Return YAML with another value at a place; comments and order stay, where the text has a usual form.

    Args:
        text: YAML of a mapping, or nothing.
        keys: the place, from the outermost key.
        value: the new value; None removes the key.
        where: names the text in errors.

    Raises:
        ConfigurationError: the text is not a mapping in YAML.

    Example:
        >>> changed("# mine\nbase_url: http://old  # local\n", ("base_url",), "http://new")
        '# mine\nbase_url: http://new  # local\n'
    """
    import yaml

    before = dict(parse_file(Secret(text), where))
    wanted = _with(before, keys, value)
    if wanted == before:
        return text
    edited = _edited(text, keys, value)
    try:
        if edited is not None and yaml.safe_load(edited) == wanted:
            return edited
    except yaml.YAMLError:
        pass
    # An unusual form, such as {a: 1} on one line: written anew, without its comments.
    return _dump(wanted)


def _with(values: Mapping[str, Any], keys: _Keys, value: str | None) -> dict[str, Any]:
    first, *rest = keys
    copy = dict(values)
    if rest:
        inner = copy.get(first)
        copy[first] = _with(inner if isinstance(inner, Mapping) else {}, tuple(rest), value)
    elif value is None:
        copy.pop(first, None)
    else:
        copy[first] = value
    return copy


def _edited(text: str, keys: _Keys, value: str | None) -> str | None:
    """Return the text with the change in place; None if it has no place for it."""
    import yaml

    if text and not text.endswith("\n"):
        text += "\n"
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    found: list[tuple[yaml.Node, yaml.Node]] = []
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        pair = next((each for each in pairs if each[0].value == key), None)
        if pair is None:
            break
        found.append(pair)
        node = pair[1]
    if len(found) == len(keys):
        key_node, old = found[-1]
        if value is None:
            lines = text.splitlines(keepends=True)
            del lines[key_node.start_mark.line : old.end_mark.line + 1]
            return "".join(lines)
        return text[: old.start_mark.index] + _scalar(value) + text[old.end_mark.index :]
    if value is None:
        return None
    missing = keys[len(found) :]
    if not found:
        return text + _block(missing, value, 0)
    return _appended(text, found[-1], missing, value)


def _appended(
    text: str, parent: tuple[yaml.Node, yaml.Node], keys: _Keys, value: str
) -> str | None:
    """Return the text with new keys at the head of a mapping in block style."""
    key_node, node = parent
    pairs = node.value
    if not isinstance(pairs, list) or not pairs or node.start_mark.line == key_node.start_mark.line:
        return None
    mark = pairs[0][0].start_mark
    lines = text.splitlines(keepends=True)
    lines.insert(mark.line, _block(keys, value, mark.column))
    return "".join(lines)


def _block(keys: _Keys, value: str, indent: int) -> str:
    lines = [f"{' ' * (indent + 2 * depth)}{_scalar(key)}:" for depth, key in enumerate(keys)]
    return "\n".join(lines) + f" {_scalar(value)}\n"


def _scalar(text: str) -> str:
    return _dump(text).removesuffix("...\n").rstrip("\n")


def _dump(value: object) -> str:
    import yaml

    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10_000))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or sentence("it is not UTF-8")
        raise CommandError(
            "invalid_configuration",
            sentence("{path} can't be read: {reason}", path=path, reason=reason),
        ) from None


def _write(path: Path, text: str) -> None:
    """Replace the file at once: what reads it sees the old text or the new one, never a part."""
    try:
        target = path.resolve()  # a link stays one
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number, draft = tempfile.mkstemp(dir=target.parent, prefix=".config-")  # mode 0600
        try:
            with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandError(
            "invalid_configuration",
            sentence("{path} can't be written: {reason}", path=path, reason=error.strerror),
        ) from None
