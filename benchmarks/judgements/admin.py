"""The admin panel at a million rankings: each page's time over HTTP, one request at a time."""

import asyncio
import re
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.judgements.clients import Client
from benchmarks.judgements.next_item import MANY, judged
from benchmarks.judgements.places import DATABASES, place, scaled
from benchmarks.judgements.quantiles import milliseconds
from benchmarks.judgements.servers import say

REQUESTS = 20
WARM_UP = 4
"""One for each process."""
LISTS = "/admin/annotation"
DEEP = min(100, scaled(MANY) // 100)
"""The last page that is counted."""
PAGES = {
    "index": "/admin/",
    "campaigns": f"{LISTS}/campaign/",
    "campaign": f"{LISTS}/campaign/1/change/",
    "quality": f"{LISTS}/campaign/1/quality/",
    "accounts": f"{LISTS}/person/",
    "accounts_search": f"{LISTS}/person/?q=labeler-19",
    "accounts_paused": f"{LISTS}/person/?state=PAUSED",
    "busy_labeler_progress": f"{LISTS}/person/3/work/",
    "busy_labeler_void": f"{LISTS}/person/3/void/",
    "prompts": f"{LISTS}/prompt/",
    "prompts_page_100": f"{LISTS}/prompt/?p={DEEP}",
    "prompts_older": f"{LISTS}/prompt/?id__lt=1000&p=2",
    "prompts_of_campaign": f"{LISTS}/prompt/?campaign__id__exact=1",
    "prompts_in_chinese": f"{LISTS}/prompt/?language=zh",
    "prompts_held": f"{LISTS}/prompt/?status__exact=HELD",
    "prompts_search_number": f"{LISTS}/prompt/?q=77",
    "prompts_search_digest": f"{LISTS}/prompt/?q=deadbe",
    "prompts_search_words": f"{LISTS}/prompt/?q=garden+wall",
    "prompts_search_nothing": f"{LISTS}/prompt/?q=zeppelin",
    "prompt": f"{LISTS}/prompt/77/change/",
    "sets": f"{LISTS}/candidateset/",
    "sets_page_100": f"{LISTS}/candidateset/?p={DEEP}",
    "sets_of_campaign": f"{LISTS}/candidateset/?campaign=1",
    "sets_search_words": f"{LISTS}/candidateset/?q=set+aside",
    "sets_search_digest": f"{LISTS}/candidateset/?q=deadbe",
    "set": f"{LISTS}/candidateset/77/change/",
    "rankings": f"{LISTS}/ranking/",
    "rankings_page_100": f"{LISTS}/ranking/?p={DEEP}",
    "rankings_older": f"{LISTS}/ranking/?id__lt=1000&p=2",
    "rankings_of_campaign": f"{LISTS}/ranking/?campaign=1",
    "rankings_of_busy_labeler": f"{LISTS}/ranking/?account=busy-0003",
    "rankings_of_labeler": f"{LISTS}/ranking/?account=labeler-0077",
    "rankings_search_number": f"{LISTS}/ranking/?q=77",
    "rankings_search_account": f"{LISTS}/ranking/?q=labeler-01",
    "rankings_search_words": f"{LISTS}/ranking/?q=zeppelin",
    "ranking": f"{LISTS}/ranking/77/change/",
    "demonstrations": f"{LISTS}/demonstration/",
    "demonstrations_of_campaign": f"{LISTS}/demonstration/?campaign=1",
    "demonstrations_submitted": f"{LISTS}/demonstration/?status__exact=SUBMITTED",
    "demonstrations_returned": f"{LISTS}/demonstration/?status__exact=RETURNED",
    "demonstrations_of_labeler": f"{LISTS}/demonstration/?account=labeler-0077",
    "demonstrations_search_words": f"{LISTS}/demonstration/?q=set+aside",
    "snapshots": "/admin/trainer/snapshot/",
    "runs": "/admin/trainer/run/",
}
OTHER_LIST = re.compile(rb'href="(/admin/(annotation|trainer)/(\w+)/)"')
"""Whatever else the index page leads to is measured as well."""


def measure() -> Iterator[Figure]:
    worst: dict[str, float] = {}
    for kind in DATABASES:
        for name, seconds in pages(kind).items():
            value = milliseconds(seconds, 0.95)
            yield Figure(f"admin_1m_{name}_p95_ms_{kind}", value, "ms")
            worst[name] = max(worst.get(name, 0), value)
    slowest = max(worst, key=lambda name: worst[name])
    say(f"the slowest page is {slowest}")
    yield Figure("admin_1m_p95_ms", worst[slowest], "ms")


def pages(kind: str) -> dict[str, list[float]]:
    with place(kind, judged(MANY)) as there:
        session = there.desk("cast.sessions", names=["rosa"])["rosa"]
        with there.web() as port:
            say(f"the admin panel on {kind}")
            return asyncio.run(opened(Client(port, session)))


async def opened(client: Client) -> dict[str, list[float]]:
    times = {}
    for name, path in {**PAGES, **await other_lists(client)}.items():
        seconds = []
        for _ in range(WARM_UP + REQUESTS):
            answer = await client.get(path)
            if answer.status != 200:
                raise SystemExit(f"{path} answers {answer.status}")
            seconds.append(answer.seconds)
        times[name] = seconds[WARM_UP:]
        say(f"  {name}: {milliseconds(times[name], 0.95):.0f} ms")
    return times


async def other_lists(client: Client) -> dict[str, str]:
    index = (await client.get("/admin/")).content
    found = {path.decode(): name.decode() for path, _, name in OTHER_LIST.findall(index)}
    known = {path.partition("?")[0] for path in PAGES.values()}
    return {name: path for path, name in found.items() if path not in known}
