"""The edge's status as one plain page that needs no script and nothing from elsewhere."""

from collections.abc import Iterable
from html import escape

from readers.outputs import Sight
from readers.status import Status
from wallet.evidence import Light

_STYLE = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; margin-block: .5rem 1.5rem; }
th, td { text-align: start; padding: .5rem; border-block-end: 1px solid; vertical-align: top; }
.alarm { border: 2px solid; border-radius: .5rem; padding: .5rem 1rem; }
a { display: inline-block; padding: .75rem 0; }
"""


def status_page(status: Status, taps: Iterable[Sight]) -> str:
    """Return the page."""
    alarms = "".join(f'<p class="alarm" role="alert">{escape(alarm)}</p>' for alarm in status.troubles)
    connection = "connected" if status.online else "not connected; taps are decided here alone"
    as_of = f"{status.as_of:%Y-%m-%d %H:%M:%S} UTC" if status.as_of else "nothing yet"
    facts = [
        ("Gateway", connection),
        ("Knows everything up to", f"{as_of} (position {status.position})"),
        ("Entries to bring home", str(status.backlog)),
        ("Clock", f"{status.clock:%Y-%m-%d %H:%M:%S} UTC"),
        *(("Last trouble", trouble) for trouble in status.last_errors),
    ]
    readers = [(each.id, each.touchpoint, each.path, each.state, each.last_error) for each in status.readers]
    shown = [
        (
            f"{sight.lamp.shown_at:%H:%M:%S}",
            sight.lamp.touchpoint,
            "✓ approved" if sight.lamp.light is Light.GREEN else f"… {sight.lamp.decision}",
            sight.sentence,
        )
        for sight in taps
    ]
    title = escape(f"Edge {status.edge}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{alarms}{_table('How it is', ('', ''), facts)}"
        f"{_table('Readers', ('Reader', 'Touchpoint', 'Device', 'State', 'Last error'), readers)}"
        f"{_table('Last taps', ('Time (UTC)', 'Touchpoint', 'Verdict', 'Sentence'), shown)}"
        f'<p><a href="/">Show it as it is now</a></p></main></body></html>'
    )


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads) if any(heads) else ""
    lines = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return f"<h2>{escape(caption)}</h2><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
