"""The story: a shop sells on while its server is killed five times.

    python examples/shop/story.py [--exit] [--json] [--orders N] [--kills N] [--seed N]

`main` tells it from top to bottom; people.py has the programs of the shop, check.py what must hold.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import check
import summary
from server import BINARY, ROOT, Server
from shop import CASHIERS, PACKERS, TILLS, Shop

PATIENCE = 90.0  # seconds until the story gives up


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exit", action="store_true", help="stop the server at the end")
    parser.add_argument("--json", action="store_true", help="print nothing but a summary in JSON; implies --exit")
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="decides when the kills come")
    return parser.parse_args()


def moments(orders: int, kills: int, chance: random.Random) -> list[int]:
    """After how many orders the server is killed: once in each part of the story, by chance."""
    part = orders / (kills + 1)
    return [int(part * (n + chance.uniform(0.2, 1))) for n in range(kills)]


def trade(shop: Shop, server: Server, plan: list[int], progress: summary.Progress) -> list[summary.Kill]:
    """The shop works; the server is killed as planned and started again; until all is done."""
    kills, deadline = [], time.monotonic() + PATIENCE
    poison_after = len(plan) // 2
    if poison_after == 0:
        shop.spill_poison()
    while (plan or not shop.done()) and time.monotonic() < deadline:
        if plan and shop.ordered() >= plan[0]:
            plan = plan[1:]
            at_order = shop.ordered()
            server.kill()
            kills.append(summary.Kill(at_order, server.start()))
            if len(kills) == poison_after:
                shop.spill_poison()
        progress.show(shop.ordered(), shop.packed(), shop.paid(), len(kills))
        time.sleep(0.02)
    progress.end()
    return kills


def numbers(shop: Shop, kills: list[summary.Kill], seconds: float) -> summary.Numbers:
    story = shop.story()
    return summary.Numbers(
        ordered=shop.ordered(),
        packed=shop.packed(),
        charged=shop.charged(),
        paid=shop.paid(),
        customers=len(shop.ledger.paid),
        redelivered=shop.ledger.redelivered,
        retries=shop.ledger.retries,
        dead=len(story.dead),
        seconds=round(seconds, 2),
        kills=kills,
        problems=check.problems(story),
    )


def farewell(server: Server, stop: bool, held: bool) -> bool:
    """Stops the server, or says where it is; whether all is well. What went wrong is kept."""
    if stop:
        well = server.stop() == 0 and held
        if well:
            shutil.rmtree(server.folder)
        else:
            print(f"  what the server left: {server.folder}", file=sys.stderr)
        return well
    print(f"  The server is still there:  {server.url}  (pid {server.process.pid})")
    print(f"    export AWS_ENDPOINT_URL_SQS={server.url} AWS_REGION=us-east-1")
    print("    export AWS_ACCESS_KEY_ID=shop AWS_SECRET_ACCESS_KEY=shop")
    print(f"    its data:    {server.folder}")
    print(f"    to stop it:  kill {server.process.pid}\n")
    return held


def tell(options: argparse.Namespace, server: Server, started: float) -> bool:
    """The story itself; whether it held."""
    shop = Shop(server.url, options.orders)
    shop.open()
    plan = moments(options.orders, options.kills, random.Random(options.seed))
    kills = trade(shop, server, plan, summary.Progress(options.orders, quiet=options.json))
    shop.close()
    found = numbers(shop, kills, time.monotonic() - started)
    print(json.dumps(summary.as_json(found), indent=2) if options.json else summary.text(found))
    return not found.problems


def main() -> int:
    options = arguments()
    if not BINARY.exists():
        sys.exit(f"{BINARY} is not there: cargo build --release")
    base = ROOT / "target" / "demo"
    base.mkdir(parents=True, exist_ok=True)
    server = Server(Path(tempfile.mkdtemp(prefix="shop-", dir=base)))
    started = time.monotonic()
    try:
        server.start()
        if not options.json:
            print(f"\n  {TILLS} tills, {PACKERS} packers, {CASHIERS} cashiers, {options.orders:,} orders, and a")
            print(f"  server that is killed with -9 {options.kills} times (--seed {options.seed}).\n")
        held = tell(options, server, started)
    except BaseException:
        if server.process and server.process.poll() is None:
            server.kill()
        raise
    return 0 if farewell(server, options.exit or options.json, held) else 1


if __name__ == "__main__":
    sys.exit(main())
