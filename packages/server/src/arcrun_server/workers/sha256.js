// SHA-256 of a text's UTF-8 (FIPS 180-4), in hexadecimal. It is JavaScript because the author's code must not be able to
// call functions of the process that runs it. `evaluate` gives the function `hexDigest`.
(() => {
  "use strict";
  const [Bytes, Words] = [Uint8Array, Int32Array];
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

  return hexDigest;
})();
