// Runs once in each new JavaScript context, before the author's code. Returns `start`.
// What it needs of the language is captured here: the author's code may replace any of it later.
(function () {
  "use strict";
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { slice } = String.prototype;
  const then = Promise.prototype.then;
  const evaluate = eval;
  const text = String;
  const articles = { __proto__: null, bigint: "a BigInt", function: "a function", symbol: "a symbol" };
  const [TypeError_, Map_, Set_, Promise_] = [TypeError, Map, Set, Promise];
  const [Bytes, Words] = [Uint8Array, Int32Array];
  for (const name of ["performance", "DOMException", "btoa", "atob", "queueMicrotask"]) delete globalThis[name];
  Object.defineProperty(globalThis, "sha256", {
    configurable: true,
    writable: true,
    value: function sha256(value) {
      if (typeof value !== "string") throw new TypeError_(`sha256 takes a text, and not ${kindOf(value)}`);
      return hexDigest(value.toWellFormed());
    },
  });

  // FIPS 180-4. It is here in JavaScript because the code has no functions of the process that runs it.
  let constants;
  function sha256Constants() {
    const k = new Words(64);
    const h = new Words(8);
    let count = 0;
    for (let n = 2; count < 64; n++) {
      let isPrime = true;
      for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
      if (!isPrime) continue;
      if (count < 8) h[count] = fraction(n ** (1 / 2));
      k[count++] = fraction(n ** (1 / 3));
    }
    return { k, h };
  }

  function fraction(number) {
    return ((number % 1) * 0x100000000) | 0;
  }

  function hexDigest(value) {
    constants ??= sha256Constants();
    const { k, h: initial } = constants;
    const h = new Words(8);
    for (let i = 0; i < 8; i++) h[i] = initial[i];
    const bytes = padded(value);
    const w = new Words(64);
    for (let start = 0; start < bytes.length; start += 64) {
      for (let i = 0, at = start; i < 16; i++, at += 4) {
        w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      }
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15];
        const y = w[i - 2];
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
      }
      mix(h, k, w);
    }
    let digest = "";
    for (let i = 0; i < 8; i++) for (let n = 28; n >= 0; n -= 4) digest += "0123456789abcdef"[(h[i] >>> n) & 15];
    return digest;
  }

  function mix(state, k, w) {
    let a = state[0], b = state[1], c = state[2], d = state[3];
    let e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g, g = f, f = e, e = (d + t1) | 0;
      d = c, c = b, b = a, a = (t1 + t2) | 0;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }

  // Returns the UTF-8 of a text, with the end that SHA-256 adds to it.
  function padded(value) {
    let length = 0;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      length += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
    }
    const bytes = new Bytes(((length + 72) >> 6) << 6);
    let at = 0;
    for (let i = 0; i < value.length; i++) {
      const point = value.codePointAt(i);
      if (point < 0x80) {
        bytes[at++] = point;
        continue;
      }
      if (point < 0x800) bytes[at++] = 0xc0 | (point >> 6);
      else {
        if (point < 0x10000) bytes[at++] = 0xe0 | (point >> 12);
        else {
          i++;
          bytes[at++] = 0xf0 | (point >> 18);
          bytes[at++] = 0x80 | ((point >> 12) & 63);
        }
        bytes[at++] = 0x80 | ((point >> 6) & 63);
      }
      bytes[at++] = 0x80 | (point & 63);
    }
    bytes[length] = 0x80;
    for (let n = 0, bits = length * 8; n < 6; n++, bits = (bits - (bits % 256)) / 256) bytes[bytes.length - 1 - n] = bits % 256;
    return bytes;
  }

  function kindOf(value) {
    return value === null ? "null" : typeof value;
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
      apply(then, run(parse(input)), [returned, failed]);
    } catch (thrown) {
      failed(thrown);
    }
    return () => outcome;
  };
})();
