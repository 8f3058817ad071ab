// What two SDKs have sent and received, side by side: aligned by content, so that one more request, header or line
// on one side marks itself and nothing after it. No function here touches the page.

// What differs between any two runs is replaced before lines are compared.
const plain = (line) => line
  .replace(/\b(eyJ[\w-]+)\.(eyJ[\w-]+)\.[\w-]+/g, (_, head, claims) => `${tokenPart(head)}.${tokenPart(claims)}`)
  .replace(/arcconf_[0-9a-f]{8}(_\d+)?/gi, "RUN")
  .replace(/(127\.0\.0\.1|localhost|\[::1\]):\d+/g, "PORT")
  .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d:\d\d)?/g, "TIME")
  .replace(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g, "TIME")
  .replace(/\b(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi, "ID")
  .replace(/^(user-agent: )arcrun-[a-z]+\/\d[\w.+-]*/, "$1SDK")
  .replace(/^(idempotency-key: )[!-~]{16,128}$/, "$1KEY")
  .replace(/("(?:encrypted|iv)": )"([^"]*)"/g, (_, name, value) => `${name}${value.length} characters`);

// A JSON Web Token is signed anew, at another time, and each language writes its JSON in its own way: what it says counts.
const tokenPart = (text) => {
  try {
    const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt(0));
    const { iat, exp, ...said } = JSON.parse(new TextDecoder().decode(bytes));
    return JSON.stringify([exp - iat, Object.entries(said).sort()]);
  } catch {
    return text; // it only looks like one
  }
};

// What the HTTP client of a runtime decides, not the SDK, as in `parity.py`, and what a server adds to each answer.
const TRANSPORT_HEADERS = ["accept-encoding", "accept-language", "connection", "content-length", "host", "keep-alive", "origin",
  "priority", "referer", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "transfer-encoding"];
const OF_FETCH = ["cache-control: no-cache", "pragma: no-cache"];
const OF_SERVER = ["date", "server", "connection", "content-length", "keep-alive", "transfer-encoding"];
const isHeader = (line, names) => names.some((name) => line.startsWith(`${name}: `));
/** Returns whether a line of a request may differ between two SDKs that do the same. */
const noiseOfRequest = (line) => isHeader(line, TRANSPORT_HEADERS) || OF_FETCH.includes(line);
const noiseOfResponse = (line) => isHeader(line, OF_SERVER);

const pretty = (value) => JSON.stringify(value, null, 2);
const bodyText = (text) => { try { return pretty(JSON.parse(text)); } catch { return text; } };
const bodyLines = (text) => (text === "" ? [] : ["", ...bodyText(text).split("\n")]);
// The order of headers has no meaning, and neither has the case of their names.
const headerLines = (headers) => headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort();

const requestLines = ({ request }) =>
  [`${request.method} ${request.target}`, ...headerLines(request.headers), ...bodyLines(request.body)];
const responseLines = ({ answer }) =>
  (answer === null ? ["no response"] : [`${answer.status}`, ...headerLines(answer.headers), ...bodyLines(answer.body)]);

// More pairs than this would take seconds; texts that long are compared line by line.
const MOST_PAIRS = 4e6;

/** Pairs the items of two lists in order, so that the sum of `score(a, b)` is largest; 0 never makes a pair. */
const align = (left, right, score) => {
  const width = right.length + 1;
  const best = new Float64Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const points = score(left[i], right[j]);
      const paired = points > 0 ? points + best[(i + 1) * width + j + 1] : 0;
      best[i * width + j] = Math.max(paired, best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const pairs = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const points = score(left[i], right[j]);
    if (points > 0 && best[i * width + j] === points + best[(i + 1) * width + j + 1]) {
      pairs.push([left[i], right[j]]);
      i += 1;
      j += 1;
    } else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) {
      pairs.push([left[i], null]);
      i += 1;
    } else {
      pairs.push([null, right[j]]);
      j += 1;
    }
  }
  return [...pairs, ...left.slice(i).map((one) => [one, null]), ...right.slice(j).map((one) => [null, one])];
};

const pathOf = ({ request }) => plain(request.target.split("?")[0]);
/** Pairs exchanges that are the same call: of the same step rather than of another. */
const alignExchanges = (mine, theirs) => align(mine, theirs, (a, b) =>
  (a.place !== b.place || a.request.method !== b.request.method || pathOf(a) !== pathOf(b) ? 0
    : a.step === b.step ? 3 : 1));

/** Returns rows `{left, right, same}`; what was changed stands beside what it was changed to. */
const diffLines = (left, right) => {
  const pairs = left.length * right.length > MOST_PAIRS
    ? Array.from({ length: Math.max(left.length, right.length) }, (_, n) => [left[n] ?? null, right[n] ?? null])
    : align(left, right, (a, b) => (plain(a) === plain(b) ? 1 : 0));
  const rows = [];
  let [removed, added] = [[], []];
  const flush = () => {
    // Lines of one header, or one field, belong together; all others only stand where the other side has none.
    for (const [a, b] of align(removed, added, (a, b) => (nameOf(a) === nameOf(b) ? 1 : 0))) {
      rows.push({ left: a, right: b, same: false });
    }
    [removed, added] = [[], []];
  };
  for (const [a, b] of pairs) {
    if (a !== null && b !== null && plain(a) === plain(b)) {
      flush();
      rows.push({ left: a, right: b, same: true });
    } else {
      if (a !== null) removed.push(a);
      if (b !== null) added.push(b);
    }
  }
  flush();
  return rows;
};
const nameOf = (line) => (/^\s*"?[\w-]+"?:/.exec(line) ?? [line.replace(/\S.*$/s, "")])[0];

/** Marks the headers among rows that differ, and tell nothing; a body begins after an empty line. */
const marked = (rows, isNoise) => {
  const body = rows.findIndex((row) => row.left === "" || row.right === "");
  return rows.map((row, index) => {
    const inHead = index > 0 && (body < 0 || index < body);
    return { ...row, noise: !row.same && inHead && [row.left, row.right].every((line) => line === null || isNoise(line)) };
  });
};
/** Compares two responses; the bodies of different statuses are different things, so each stands as a whole. */
const diffResponses = (a, b) => {
  const [left, right] = [a, b].map((one) => (one ? responseLines(one) : []));
  if (!a?.answer || !b?.answer || a.answer.status === b.answer.status) return diffLines(left, right);
  const [mine, theirs] = [left, right].map((lines) => {
    const end = lines.includes("") ? lines.indexOf("") : lines.length;
    return { head: lines.slice(0, end), body: lines.slice(end + 1).join("\n") || null };
  });
  if (mine.body === theirs.body) return diffLines(left, right);
  const bodies = [{ left: "", right: "", same: true }, { left: mine.body, right: theirs.body, same: false, apart: true }];
  return [...diffLines(mine.head, theirs.head), ...bodies];
};
/** Returns the calls of two cells, each with the rows of its request and of its response. */
const compareTraffic = (mine, theirs) => alignExchanges(mine, theirs).map(([a, b]) => {
  const lines = (one, of) => (one ? of(one) : []);
  const request = marked(diffLines(lines(a, requestLines), lines(b, requestLines)), noiseOfRequest);
  const response = marked(diffResponses(a, b), noiseOfResponse);
  return { mine: a, theirs: b, request, response, same: [...request, ...response].every((row) => row.same || row.noise) };
});
