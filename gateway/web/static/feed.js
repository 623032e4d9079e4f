// The page's one ear on the feed. It dispatches on `document`:
//   feed:entry  detail = the entry's JSON     feed:open     feed:lost
// EventSource resumes by itself with Last-Event-ID after a dropped connection. After an answer it takes for final
// (a restarting server, a 503) it gives up; then we open a new one and hand the position over as ?after=.
const BACK_OFF_MS = [500, 1000, 2000, 5000, 10000];

export class Feed {
  #source = null;
  #tries = 0;
  #timer = 0;

  /** @param url where the stream is  @param position the last position the page already shows */
  constructor(url, position = "") {
    this.url = url;
    this.position = String(position);
  }

  open() {
    this.close();
    const address = new URL(this.url, document.baseURI);
    if (this.position !== "") address.searchParams.set("after", this.position);
    const source = new EventSource(address);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#tries = 0;
      this.#tell("feed:open");
    });
    source.addEventListener("message", (event) => this.#take(event));
    source.addEventListener("error", () => {
      this.#tell("feed:lost");
      if (source.readyState === EventSource.CLOSED) this.#again();
    });
    return this;
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #take(event) {
    let entry;
    try {
      entry = JSON.parse(event.data);
    } catch {
      console.error("feed: not JSON after position", this.position);
      return;
    }
    // Positions are dense and rise: one we have seen is a repeat after a reconnect. A word without one (an edge looks
    // different) is no entry; the event's own id would still name the entry before it.
    if (entry.position !== undefined) {
      if (this.position !== "" && entry.position <= Number(this.position)) return;
      this.position = String(entry.position);
    }
    this.#tell("feed:entry", entry);
  }

  #again() {
    const wait_ms = BACK_OFF_MS[Math.min(this.#tries, BACK_OFF_MS.length - 1)];
    this.#tries += 1;
    this.#timer = setTimeout(() => this.open(), wait_ms * (0.75 + Math.random() / 2));
  }

  #tell(name, detail = {}) {
    document.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const { feed, feedPosition } = document.body.dataset;
if (feed) {
  const ear = new Feed(feed, feedPosition ?? "").open();
  addEventListener("pagehide", () => ear.close());
  addEventListener("pageshow", (event) => { if (event.persisted) ear.open(); });
}
