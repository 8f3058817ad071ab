// Runs once in each new JavaScript context, before the author's code. Returns `start`.
// What it needs of the language is captured here: the author's code may replace any of it later.
(function (sha256Source) {
  "use strict";
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { slice } = String.prototype;
  const then = Promise.prototype.then;
  const evaluate = eval;
  const text = String;
  const articles = { __proto__: null, bigint: "a BigInt", function: "a function", symbol: "a symbol" };
  const [TypeError_, Map_, Set_, Promise_] = [TypeError, Map, Set, Promise];
  for (const name of ["performance", "DOMException", "btoa", "atob", "queueMicrotask"]) delete globalThis[name];
  let digest; // read when it is called first: most code does without
  Object.defineProperty(globalThis, "sha256", {
    configurable: true,
    writable: true,
    value: function sha256(value) {
      if (typeof value !== "string") throw new TypeError_(`sha256 takes a text, and not ${kindOf(value)}`);
      digest ??= evaluate(sha256Source);
      return digest(value.toWellFormed());
    },
  });

  function kindOf(value) {
    return value === null ? "null" : typeof value;
  }

  const tooLarge = {};

  // The input is JSON, so nothing but a lack of memory can go wrong.
  function parsed(input) {
    try {
      return parse(input);
    } catch {
      return tooLarge;
    }
  }

  class NoJson {
    constructor(reason) {
      this.reason = reason;
    }
  }

  function noJson(key, isWhole, what) {
    const where = isWhole ? "the returned value" : `\`${part(key, 60)}\` of the returned value`;
    return new NoJson(`${where} is ${what}, which JSON has no form for`);
  }

  // Returns what `stringify` calls for each value: what JSON would change without a word is an error.
  function checks() {
    let calls = 0; // the second is about the returned value, which stands in an object of ours
    return function checked(key, value) {
      calls++;
      const kind = typeof value;
      if (kind === "bigint" || kind === "function" || kind === "symbol") throw noJson(key, calls === 2, articles[kind]);
      if (kind === "number" && (value !== value || value === Infinity || value === -Infinity)) {
        throw noJson(key, calls === 2, text(value));
      }
      if (kind === "object") {
        if (value instanceof Map_) throw noJson(key, calls === 2, "a Map");
        if (value instanceof Set_) throw noJson(key, calls === 2, "a Set");
        if (value instanceof Promise_) throw noJson(key, calls === 2, "a Promise");
      }
      return value;
    };
  }

  function part(value, most) {
    return apply(slice, text(value), [0, most]);
  }

  function describe(thrown) {
    if (thrown instanceof NoJson) return { __proto__: null, kind: "contract", message: thrown.reason };
    try {
      if (thrown === null || typeof thrown !== "object") return { __proto__: null, kind: "thrown", message: part(thrown, 1000) };
      return {
        __proto__: null,
        kind: "error",
        name: part(thrown.name, 100),
        message: part(thrown.message, 1000),
        stack: part(thrown.stack, 4000),
      };
    } catch {
      return { __proto__: null, kind: "thrown", message: "a value that can't be read" };
    }
  }

  // Returns `poll`, which returns the outcome as JSON, or undefined while a promise is waited for.
  return function start(code, input, mostCharacters, linesBefore) {
    let outcome;
    function failed(thrown) {
      outcome = stringify({ __proto__: null, error: describe(thrown) });
    }
    function returned(value) {
      try {
        // What `stringify` returns is in one piece, as whoever polls needs it.
        const json = stringify({ __proto__: null, data: value }, checks());
        outcome = json.length > mostCharacters ? '{"large":true}' : json;
      } catch (thrown) {
        failed(thrown);
      }
    }
    try {
      const run = evaluate(`${linesBefore}(async function (input) {\n${code}\n})`);
      const value = parsed(input);
      if (value === tooLarge) outcome = '{"error":{"kind":"memory"}}';
      else apply(then, run(value), [returned, failed]);
    } catch (thrown) {
      failed(thrown);
    }
    return () => outcome;
  };
})
