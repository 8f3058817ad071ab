/** Suggestions for misspelled names. */

/** Returns `; did you mean …?`, or an empty text if no known name is near. */
export function nearest(word: string, known: readonly string[]): string {
  let found = "";
  let best = 0.6;
  for (const other of known) {
    const similarity = (2 * common(word, other)) / (word.length + other.length);
    if (similarity >= best) [found, best] = [`; did you mean '${other}'?`, similarity];
  }
  return found;
}

/** Returns the length of the longest common subsequence. */
function common(one: string, other: string): number {
  let row: number[] = [];
  for (const letter of one) {
    const next: number[] = [];
    for (let i = 0; i < other.length; i++)
      next[i] = other[i] === letter ? (row[i - 1] ?? 0) + 1 : Math.max(row[i] ?? 0, next[i - 1] ?? 0);
    row = next;
  }
  return row[other.length - 1] ?? 0;
}
