/**
 * The adapters' clock: what the SDK waits for is recorded, and time goes on as if it had waited.
 *
 * A timer fires as soon as no request is on the way and nothing is being signed or encrypted: then the SDK waits for
 * nothing else. So a request is never late on this clock. The timers of the runtime's own code stay real. Until it has
 * arrived, a response is held back, so that a request ends at a moment that can be told.
 */

const QUIET = 4; // milliseconds in which nothing must happen before a timer fires
const WITHOUT_BODY = [204, 205, 304];
// What a runtime does in a thread of its own: signing with an RSA key takes longer than QUIET on a busy machine.
const CRYPTOGRAPHY = ["importKey", "sign", "encrypt", "deriveBits", "deriveKey", "digest"];

/** Tells whether the function that called the caller's caller is the runtime's: Node.js has `fetch` in JavaScript. */
const isCalledByRuntime = () => /node:internal|undici/.test(new Error().stack?.split("\n")[4] ?? "");

export class Clock {
  running = false;
  #waited = [];
  #ahead = 0;
  #offset = 0;
  #timers = new Map();
  #lastTimer = 0;
  #pending = 0;
  #real = {};
  #check;
  #subtle;

  /** Takes the Web Cryptography API that the SDK uses. */
  constructor({ subtle } = crypto) {
    this.#subtle = Object.getPrototypeOf(subtle);
  }

  /** Lets time begin at a moment (ISO 8601), and go on by itself. */
  start(text) {
    if (this.running) this.stop();
    const { setTimeout, clearTimeout, fetch } = globalThis;
    this.#real = {
      setTimeout: setTimeout.bind(globalThis),
      clearTimeout: clearTimeout.bind(globalThis),
      fetch: fetch.bind(globalThis),
      now: performance.now.bind(performance),
      cryptography: CRYPTOGRAPHY.map((name) => [name, this.#subtle[name]]),
      originals: { setTimeout, clearTimeout, fetch, now: performance.now, dateNow: Date.now },
    };
    this.#offset = Date.parse(text) - this.#now();
    globalThis.setTimeout = (callback, delay = 0, ...values) => this.#add(callback, delay, values);
    globalThis.clearTimeout = (timer) => this.#clear(timer);
    globalThis.fetch = (input, init) => this.#wait(() => this.#fetch(input, init));
    const wait = (work) => this.#wait(work);
    for (const [name, real] of this.#real.cryptography)
      this.#subtle[name] = function (...values) {
        return wait(() => real.apply(this, values));
      };
    Date.now = () => Math.round(this.#now() + this.#offset);
    Object.defineProperty(performance, "now", { value: () => this.#now(), configurable: true, writable: true });
    this.running = true;
  }

  /** Lets the program wait and tell the time as usual. */
  stop() {
    if (!this.running) return;
    this.running = false;
    const { setTimeout, clearTimeout, fetch, now, dateNow } = this.#real.originals;
    Object.assign(globalThis, { setTimeout, clearTimeout, fetch });
    Object.assign(this.#subtle, Object.fromEntries(this.#real.cryptography));
    Object.defineProperty(performance, "now", { value: now, configurable: true, writable: true });
    Date.now = dateNow;
    this.#real.clearTimeout(this.#check);
    this.#timers.clear();
    this.#ahead = 0;
  }

  /** Lets some seconds pass. */
  advance(seconds) {
    this.#ahead += seconds * 1000;
  }

  /** Returns how many seconds were waited, each time since the last call. */
  taken() {
    return this.#waited.splice(0).map((milliseconds) => Math.round(milliseconds * 1000) / 1e6);
  }

  #now() {
    return this.#real.now() + this.#ahead;
  }

  #add(callback, delay, values) {
    if (isCalledByRuntime()) return this.#real.setTimeout(callback, delay, ...values);
    const timer = ++this.#lastTimer;
    this.#timers.set(timer, { callback, delay, values, due: this.#now() + Math.max(0, delay) });
    this.#watch();
    return timer;
  }

  #clear(timer) {
    if (!this.#timers.delete(timer)) this.#real.clearTimeout(timer);
    this.#watch();
  }

  #watch() {
    this.#real.clearTimeout(this.#check);
    if (this.running) this.#check = this.#real.setTimeout(() => this.#fire(), QUIET);
  }

  #fire() {
    const [first] = [...this.#timers].sort(([, one], [, other]) => one.due - other.due);
    if (this.#pending > 0 || !first) return;
    const [timer, { callback, delay, values, due }] = first;
    this.#timers.delete(timer);
    this.#waited.push(delay);
    this.#ahead += Math.max(0, due - this.#now());
    callback(...values);
    this.#watch();
  }

  /** Lets no timer fire until a piece of work is done. */
  async #wait(work) {
    this.#pending++;
    try {
      return await work();
    } finally {
      this.#pending--;
      this.#watch();
    }
  }

  async #fetch(input, init) {
    const response = await this.#real.fetch(input, init);
    if (!response.body || response.type === "opaqueredirect") return response;
    const { status, statusText, headers, url } = response;
    const body = await response.arrayBuffer();
    const copy = new Response(WITHOUT_BODY.includes(status) ? null : body, { status, statusText, headers });
    return Object.defineProperty(copy, "url", { value: url });
  }
}
