/**
 * Prints what the TypeScript SDK offers, as JSON, read from its types by its own compiler.
 *
 * Argument: the folder of the package, with `node_modules` installed. Of the SDK it runs only the module with the
 * table of pinned origins.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = resolve(process.argv[2]);
const sources = join(folder, "src");
const ts = createRequire(join(folder, "package.json"))("typescript");
const program = open(join(folder, "tsconfig.json"));
const checker = program.getTypeChecker();
const files = program.getSourceFiles().filter((file) => resolve(file.fileName).startsWith(sources));
const index = program.getSourceFile(join(sources, "index.ts"));
const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(index)).map((symbol) => {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return [symbol.name, target];
});

console.log(
  JSON.stringify({
    ...client(),
    errors: errors(),
    types: types(),
    constants: constants(),
    origins: await origins(),
    exports: exported.map(([name]) => name),
  }),
);

/** Opens the program that a tsconfig.json describes; throws if a file can't be parsed. */
function open(config) {
  const fail = (diagnostics) => {
    const text = diagnostics.map((each) => ts.flattenDiagnosticMessageText(each.messageText, "\n"));
    throw new Error(`${config}: ${text.join("; ")}`);
  };
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail([diagnostic]) };
  const { fileNames, options } = ts.getParsedCommandLineOfConfigFile(config, {}, host);
  const opened = ts.createProgram(fileNames, options);
  const broken = opened.getSyntacticDiagnostics();
  if (broken.length) fail(broken);
  return opened;
}

/** Returns the options of the client's constructor, and the methods of the client and of its properties. */
function client() {
  const symbol = exported.find(([name]) => name === "Arcrun")?.[1];
  if (!symbol) throw new Error(`${index.fileName} exports no Arcrun`);
  const constructors = checker.getTypeOfSymbol(symbol).getConstructSignatures();
  const options = parameters(constructors.find((each) => isPublic(each.declaration)));
  const methods = {};
  for (const [name, type] of properties(checker.getDeclaredTypeOfSymbol(symbol))) {
    if (type.getCallSignatures().length) methods[name] = method(type);
    else
      for (const [inner, called] of properties(type))
        if (called.getCallSignatures().length) methods[`${name}.${inner}`] = method(called);
  }
  return { options, methods };
}

function method(type) {
  const [signature] = type.getCallSignatures();
  const returned = signature.getReturnType();
  const result = checker.getAwaitedType(returned) ?? returned;
  return { parameters: parameters(signature), returns: checker.typeToString(result) };
}

/** Returns the parameters of a function; those in an object named `options` have no position. */
function parameters(signature) {
  return signature.parameters.flatMap((parameter, position) => {
    const declaration = parameter.valueDeclaration;
    if (parameter.name !== "options")
      return { name: parameter.name, position, required: !checker.isOptionalParameter(declaration) };
    const object = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
    return fields(object).map((field) => ({ ...field, position: null }));
  });
}

function fields(type) {
  const required = ({ flags }) => !(flags & ts.SymbolFlags.Optional);
  return type.getProperties().map((field) => ({ name: field.name, required: required(field) }));
}

/** Returns the public properties of a class, each with its type. */
function properties(type) {
  const open = type.getProperties().filter((each) => each.valueDeclaration && isPublic(each.valueDeclaration));
  return open.map((property) => [property.name, checker.getTypeOfSymbol(property)]);
}

function isPublic(declaration) {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  if (ts.getCombinedModifierFlags(declaration) & hidden) return false;
  return !ts.getJSDocTags(declaration).some((tag) => tag.tagName.text === "internal");
}

/** Returns the exported classes that derive from Error: the parent of each, and the properties that it adds. */
function errors() {
  const found = {};
  for (const [name, symbol] of exported.filter(([, { flags }]) => flags & ts.SymbolFlags.Class)) {
    const [parent] = checker.getBaseTypes(checker.getDeclaredTypeOfSymbol(symbol));
    if (!isError(parent)) continue;
    const own = [...symbol.members.values()].filter(({ flags }) => flags & ts.SymbolFlags.Property);
    found[name] = { parent: parent.symbol.name, attributes: own.map((each) => each.name) };
  }
  return found;
}

function isError(type) {
  return !!type && (type.symbol.name === "Error" || (checker.getBaseTypes(type) ?? []).some(isError));
}

/** Returns the fields of each exported interface. */
function types() {
  const interfaces = exported.filter(([, { flags }]) => flags & ts.SymbolFlags.Interface);
  return Object.fromEntries(
    interfaces.map(([name, symbol]) => [name, fields(checker.getDeclaredTypeOfSymbol(symbol))]),
  );
}

/** Returns the constants of all modules that are numbers or strings. */
function constants() {
  const found = [];
  for (const statement of files.flatMap((file) => [...file.statements])) {
    if (!ts.isVariableStatement(statement)) continue;
    const open = !!statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (!initializer || !/^[A-Z][A-Z0-9_]*$/.test(name.getText())) continue;
      const isNumber = ts.isNumericLiteral(initializer);
      if (!isNumber && !ts.isStringLiteral(initializer)) continue;
      const value = isNumber ? Number(initializer.text) : initializer.text;
      found.push({ name: name.text, value, public: open });
    }
  }
  return found;
}

/** The table of pinned origins, as the module says it when it is loaded. */
async function origins() {
  const made = mkdtempSync(join(tmpdir(), "arcrun-parity-"));
  try {
    writeFileSync(join(made, "package.json"), '{"type": "module"}');
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2020 };
    for (const file of files) {
      const path = join(made, relative(sources, file.fileName).replace(/\.ts$/, ".js"));
      const { outputText } = ts.transpileModule(file.text, { compilerOptions });
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, outputText);
    }
    const { knownOrigins, shippedServices } = await import(pathToFileURL(join(made, "recipes/trust.js")).href);
    const policy = { settings: { baseUrl: "{{engine.url}}" }, memory: { pinned: new Map() } };
    const found = shippedServices.map((service) => [service, knownOrigins(service, policy)]);
    return Object.fromEntries(found.filter(([, origins]) => origins.length)); // an engine's own has none
  } finally {
    rmSync(made, { recursive: true });
  }
}
