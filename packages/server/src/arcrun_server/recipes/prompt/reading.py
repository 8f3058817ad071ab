"""From a document to a prompt recipe: every field checked, every problem with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.placeholders import scan_escaped
from arcrun_server.engine.templates import MISSING

from .document import Document, DocumentError, document_of, read_document
from .fields import Fields, Problems
from .record import (
    MAX_REPAIRS,
    MAX_TESTS,
    MAX_VARIABLES,
    Fragment,
    Input,
    Output,
    PromptRecipe,
    RecipeError,
    RecipeTest,
)
from .reference import NAME, NAME_RULE, PREFIX, parse_prompt_reference
from .transforms import kind_of, parse_transform

if TYPE_CHECKING:
    from arcrun_server.engine import JsonObject, Problem

_RECIPE = (
    "id",
    "name",
    "kind",
    "version",
    "description",
    "model",
    "fragments",
    "inputs",
    "prompt_assembly",
    "output",
    "tests",
)
_FRAGMENT = (
    "var",
    "source",
    "block_id",
    "block_page_name",
    "field",
    "key",
    "recipe",
    "version",
    "pin",
)
_INPUT = ("var", "from", "transform", "default")
_ASSEMBLY = ("system", "user")
_OUTPUT = ("format", "schema", "required_fields", "repair")
_TEST = ("name", "inputs", "context", "fragments", "expect", "reply")
_EXPECT = ("messages", "contains", "output")

_SOURCES = ("kbdb_block", "kv", "recipe")
_BLOCK_FIELDS = ("content", "page_name", "source")
# What names the text of each source; exactly one of them is given.
_NAMED_BY = {
    "kbdb_block": ("block_id", "block_page_name"),
    "kv": ("key",),
    "recipe": ("recipe",),
}
_VARIABLE = re.compile(r"[^\W\d]\w{0,63}")
_VARIABLE_RULE = "a letter or `_`, then up to 63 letters, digits and `_`"
# As other languages write the element of a list, or the field of an object.
_INDEX = re.compile(r"""\[(?:([0-9]{1,9})|["']([^"'\[\]]*)["'])\]""")
MAX_VERSION = 999_999_999


def read_recipe(source: str | JsonObject) -> tuple[PromptRecipe, list[Problem]]:
    """Read and check a recipe.

    Args:
        source: Its text in YAML or JSON, or the recipe as an object.

    Returns:
        The recipe, and warnings.

    Raises:
        RecipeError: It can't be used; all problems that were found, in the order of the text.

    Example:
        >>> recipe, warnings = read_recipe('''
        ... id: prompt_recipe:greet
        ... inputs: [{var: 名字, from: input.name}]
        ... prompt_assembly: {user: "向{{名字}}問好"}
        ... ''')
        >>> recipe.name, recipe.inputs[0].path, warnings
        ('greet', 'input.name', [])
    """
    try:
        document = read_document(source) if isinstance(source, str) else document_of(source)
    except DocumentError as error:
        raise RecipeError([error.problem]) from None
    return _RecipeReader(document).read()


class _RecipeReader:
    """Reads one document.

    Args:
        document: The document.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._problems = Problems(document)
        # Whether the names of all variables could be read; otherwise nothing can be said of those in templates.
        self._all_declared = True

    def read(self) -> tuple[PromptRecipe, list[Problem]]:
        """Return the recipe and warnings.

        Raises:
            RecipeError: It has errors.
        """
        value = self._document.value
        if not isinstance(value, dict):
            raise RecipeError(
                [self._document.problem(f"a recipe is an object, but this is {kind_of(value)}", ())]
            )
        recipe = self._recipe(Fields(self._problems, value, (), _RECIPE))
        if self._all_declared:
            self._check_templates(recipe)
            self._check_tests(recipe)
        if self._problems.errors:
            raise RecipeError(sorted(self._problems.errors, key=_position))
        return recipe, self._problems.warnings

    def _recipe(self, fields: Fields) -> PromptRecipe:
        self._all_declared = fields.value.keys() <= set(_RECIPE)
        fields.choice("kind", ("prompt_recipe",), "prompt_recipe")
        self._check_version(fields)
        assembly = fields.object("prompt_assembly", required=True)
        if assembly is None:  # which has been said
            assembly = {"user": "-"}
        templates = Fields(self._problems, assembly, ("prompt_assembly",), _ASSEMBLY)
        seen: set[str] = set()
        return PromptRecipe(
            name=self._name(fields),
            description=fields.text("description", default=""),
            model=fields.text("model", most=128),
            fragments=tuple(
                self._fragment(one, seen) for one in self._declared(fields, "fragments", _FRAGMENT)
            ),
            inputs=tuple(
                self._input(one, seen) for one in self._declared(fields, "inputs", _INPUT)
            ),
            system=templates.text("system", most=2**20),
            user=templates.text("user", default="", required=True, most=2**20),
            output=self._output(fields),
            tests=self._tests(fields),
            document=self._document,
        )

    def _name(self, fields: Fields) -> str:
        identity, name = fields.text("id"), fields.text("name")
        if identity is None and name is None:
            fields.error(f"`id` is missing; write `id: {PREFIX}NAME`")
            return ""
        names: dict[str, str] = {}
        for field, text in (("id", identity), ("name", name)):
            if text is None:
                continue
            names[field] = text.removeprefix(PREFIX)
            if not NAME.fullmatch(names[field]):
                fields.error(f"a recipe's name is {NAME_RULE}", field)
        if len(set(names.values())) > 1:
            fields.error("`id` and `name` say different names; leave one out", "name")
        return next(iter(names.values()))

    def _check_version(self, fields: Fields) -> None:
        """Check the author's own version: it is kept, but the engine counts for itself."""
        version = fields.value.get("version")
        if isinstance(version, (bool, dict, list)):
            fields.error(
                f"`version` must be a text or a number, but it is {kind_of(version)}", "version"
            )

    def _declared(self, fields: Fields, name: str, names: tuple[str, ...]) -> list[Fields]:
        """Return the entries of a list of variables."""
        entries = list(fields.objects(name, names, MAX_VARIABLES))
        given = fields.value.get(name)
        if given is not None and (not isinstance(given, list) or len(entries) < len(given)):
            self._all_declared = False
        return entries

    def _variable(self, fields: Fields, seen: set[str], default: str | None = None) -> str:
        var: str = fields.text("var", default=default or "", required=default is None)
        if not _VARIABLE.fullmatch(var):
            self._all_declared = False
        if not fields.has("var") and default is None:
            return ""
        if not _VARIABLE.fullmatch(var):
            fields.error(f"a variable's name is {_VARIABLE_RULE}", "var")
        elif var in seen:
            fields.error(f"the variable '{var}' is declared twice", "var")
        seen.add(var)
        return var

    def _fragment(self, fields: Fields, seen: set[str]) -> Fragment:
        source = fields.choice("source", _SOURCES) or ""
        key = fields.text("key", most=128)
        # The deployed form of a fragment from the key-value store has no `var`.
        default = key if source == "kv" and key and _VARIABLE.fullmatch(key) else None
        named_by = _NAMED_BY.get(source, ())
        given = [name for names in _NAMED_BY.values() for name in names if fields.has(name)]
        for name in given:
            if named_by and name not in named_by:
                fields.error(
                    f"a fragment of the source {source} has no `{name}`", name, at_key=True
                )
        if named_by and len([name for name in given if name in named_by]) != 1:
            choice = " or ".join(f"`{name}`" for name in named_by)
            fields.error(f"a fragment of the source {source} needs {choice}")
        if source != "kbdb_block":
            for name in ("pin", "version", "field"):
                if source and fields.has(name):
                    fields.error(f"only a fragment of the source kbdb_block has `{name}`", name)
        elif fields.has("version") and fields.has("block_page_name"):
            fields.error(
                "`version` is that of one block, and a page may have many; give `block_id`, or `pin: true` for the "
                "blocks that the page has now",
                "version",
                at_key=True,
            )
        return Fragment(
            var=self._variable(fields, seen, default),
            source=source,
            block_id=fields.text("block_id", most=128),
            block_page_name=fields.text("block_page_name", most=512),
            field=fields.choice("field", _BLOCK_FIELDS, "content") or "content",
            key=key,
            recipe=fields.read("recipe", parse_prompt_reference),
            version=fields.whole("version", 1, MAX_VERSION),
            pin=fields.flag("pin"),
        )

    def _input(self, fields: Fields, seen: set[str]) -> Input:
        var = self._variable(fields, seen)
        path: str = fields.text("from", default="", required=True, most=512).strip()
        if path and ("{" in path or "}" in path):
            fields.error("`from` is a path without braces, as `ctx.read_drafts.blocks`", "from")
        elif "[" in path or "]" in path:
            dotted = _INDEX.sub(lambda found: f".{found[1] or found[2]}", path)
            fields.error(
                "`from` is a path with dots and without brackets, as `ctx.read_drafts.blocks.0`",
                "from",
                suggestion=None if "[" in dotted or "]" in dotted else dotted.removeprefix("."),
            )
        elif path and not all(step.strip() for step in path.split(".")):
            fields.error(
                "a part of this path is empty; write it as `ctx.read_drafts.blocks`", "from"
            )
        return Input(
            var=var,
            path=path,
            transform=fields.read("transform", parse_transform),
            default=fields.value.get("default", MISSING),
        )

    def _output(self, fields: Fields) -> Output:
        value = fields.object("output")
        if value is None:
            return Output()
        own = Fields(self._problems, value, ("output",), _OUTPUT)
        form = own.choice("format", ("json", "text"), "text") or "text"
        schema = value.get("schema")
        if schema is not None and not isinstance(schema, (dict, bool)):
            own.error(f"`schema` must be a JSON Schema, but it is {kind_of(schema)}", "schema")
            schema = None
        required = own.texts("required_fields")
        if form == "text":
            for name in ("schema", "required_fields", "repair"):
                if own.has(name):
                    own.error(f"`{name}` needs `format: json`", name, at_key=True)
        if required and schema is not None:
            own.error(
                "give `schema` or `required_fields`, not both", "required_fields", at_key=True
            )
        elif required:
            schema = {"type": "object", "required": required}
        return Output(form, schema, own.whole("repair", 0, MAX_REPAIRS) or 0)

    def _tests(self, fields: Fields) -> tuple[RecipeTest, ...]:
        tests = [self._test(one) for one in fields.objects("tests", _TEST, MAX_TESTS)]
        seen: set[str] = set()
        for number, test in enumerate(tests):
            if test.name and test.name in seen:
                self._problems.error(
                    f"there are two tests '{test.name[:60]}'", ("tests", number, "name")
                )
            seen.add(test.name)
        return tuple(tests)

    def _test(self, fields: Fields) -> RecipeTest:
        if fields.has("inputs") and fields.has("context"):
            fields.error("give `inputs` or `context`, not both", "context", at_key=True)
        wanted = fields.object("expect", required=True) or {}
        expect = Fields(self._problems, wanted, fields.at("expect"), _EXPECT)
        if fields.has("expect") and not wanted:
            fields.error("`expect` says nothing, so this test can't fail", "expect")
        _check_says_something(expect)
        if "output" in wanted and not fields.has("reply"):
            fields.error("`expect.output` needs a `reply` that it is read from", "expect")
        return RecipeTest(
            name=fields.text("name", default="", required=True, most=256),
            values=fields.object("inputs"),
            context=fields.object("context"),
            fragments=_texts_by_name(fields, "fragments"),
            messages=self._messages(expect),
            contains=tuple(expect.texts("contains")),
            output=wanted.get("output"),
            expects_output="output" in wanted,
            reply=fields.text("reply", most=2**20),
        )

    def _messages(self, expect: Fields) -> dict[str, str] | None:
        """Return the expected messages by role, from `{role: text}` or from a list as `render` gives it."""
        given: Any = expect.value.get("messages")
        if given is None:
            return None
        if isinstance(given, dict):
            Fields(self._problems, given, expect.at("messages"), _ASSEMBLY)
            return _texts_by_name(expect, "messages")
        messages = {}
        for one in expect.objects("messages", ("role", "content"), len(_ASSEMBLY)):
            role = one.choice("role", _ASSEMBLY)
            text = one.text("content", default="", most=2**20)
            if role in messages:
                one.error(f"there are two messages of the role {role}", "role")
            if role is not None:
                messages[role] = text
        return messages

    def _check_templates(self, recipe: PromptRecipe) -> None:
        """Check that every placeholder of the two templates is declared, and warn of what nothing uses."""
        known = recipe.variables
        declared, used = set(known), set()
        for role, template in recipe.templates.items():
            path = recipe.template_paths[role]
            counts: dict[str, int] = {}
            for found in scan_escaped(template):
                number = counts.get(found.source, 0)
                counts[found.source] = number + 1
                if found.name in declared or found.source == "{{}}":  # empty braces are text
                    used.add(found.name)
                    continue
                self._problems.error(
                    _undeclared(found.name),
                    path,
                    known=known,
                    name=found.name,
                    written=found.source,
                    number=number,
                )
        if not recipe.fragments:  # a fragment may use what the two templates do not
            for number, item in enumerate(recipe.inputs):
                if item.var not in used:
                    self._problems.warn(
                        f"nothing uses the input '{item.var}'", ("inputs", number, "var")
                    )

    def _check_tests(self, recipe: PromptRecipe) -> None:
        """Check that tests give values to variables that there are."""
        inputs = [item.var for item in recipe.inputs]
        fragments = [item.var for item in recipe.fragments]
        for number, test in enumerate(recipe.tests):
            for kind, given, known in (
                ("inputs", test.values or {}, inputs),
                ("fragments", test.fragments, fragments),
            ):
                for name in given:
                    if name not in known:
                        self._problems.error(
                            f"the recipe has no '{name[:60]}' among its {kind}",
                            ("tests", number, kind, name),
                            known=known,
                            name=name,
                            at_key=True,
                        )


def _check_says_something(expect: Fields) -> None:
    """Refuse what holds for every prompt: no messages, no texts, and the empty text."""
    for name, what in (("messages", "messages"), ("contains", "texts")):
        value = expect.value.get(name, MISSING)
        if value in (None, {}, []):
            expect.error(f"`{name}` has no {what}, so it checks nothing; leave it out", name)
    contains = expect.value.get("contains")
    for number, text in enumerate(contains if isinstance(contains, list) else []):
        if text == "":
            expect.error(
                f"the text {number} of `contains` is empty, which every message holds", "contains"
            )


def _position(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


def _undeclared(name: str) -> str:
    if not name:
        return "these braces name no variable; write `\\{{` for braces that are text"
    return (
        f"`{{{{{name[:60]}}}}}` is no variable of this recipe; declare it under `inputs` or `fragments`, "
        "or write `\\{{` for braces that are text"
    )


def _texts_by_name(fields: Fields, name: str) -> dict[str, str]:
    value: JsonObject = fields.object(name) or {}
    for key, text in value.items():
        if not isinstance(text, str):
            fields.error(f"`{name}.{key[:60]}` must be a text, but it is {kind_of(text)}", name)
    return {key: text for key, text in value.items() if isinstance(text, str)}
