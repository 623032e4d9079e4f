// What the page of the pass says in each state.
export const WORDS = {
  loading: "Making your pass ready…",
  setup: "This phone carries no pass yet.",
  live: "Live. Hold it a hand’s breadth from the scanner, the screen bright; a new code comes by itself.",
  offline: "No connection, and none needed: the code goes on by itself. Hold it to the scanner, the screen bright.",
  expired: "This pass needs a connection once: go online, and it goes on.",
  empty: "There is no pass on this phone yet. Open this page once with a connection.",
};

/** Until when the pass works without a network, on the resort's clocks. */
export function untilWords(valid_until_ms, zone) {
  const style = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: zone };
  return `Works without a connection until ${new Intl.DateTimeFormat("en-GB", style).format(valid_until_ms)}.`;
}

const UNITS = [[86_400_000, "day"], [3_600_000, "hour"], [60_000, "minute"], [1000, "second"]];

/** What to do about a phone's clock that is off by more than the allowance; empty for nothing. */
export function clockWords(off_ms, skew_s) {
  const far = Math.abs(off_ms);
  if (!(far > skew_s * 1000)) return "";
  const [unit_ms, unit] = UNITS.find(([each_ms]) => far >= each_ms);
  const count = Math.round(far / unit_ms);
  const way = off_ms > 0 ? "behind" : "ahead of";
  return (
    `This phone’s clock is ${count} ${unit}${count === 1 ? "" : "s"} ${way} the resort’s. The code allows for it. ` +
    "Let the phone set its clock by itself, then open this page once with a connection."
  );
}
