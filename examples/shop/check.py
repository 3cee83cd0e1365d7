"""Did the story hold? Pure functions of what the shop's people wrote down; each names what is wrong."""

from typing import NamedTuple


class Story(NamedTuple):
    """All that the check looks at."""

    orders: int  # how many were to be placed
    ordered: list  # order numbers that the server acknowledged
    packed: list  # order numbers as they were packed, repeats included
    charged: dict  # customer -> payment numbers that the server acknowledged
    paid: dict  # customer -> payment numbers as they came, repeats included
    dead: list  # bodies found in the dead-letter queue
    poison: str  # the only body that belongs there
    left: dict  # queue -> messages still in it
    accidents: list  # what happened to the shop's people


def unplaced(story: Story) -> list[str]:
    """A check over fewer orders than promised would be an easy one."""
    placed = len(set(story.ordered))
    return [f"{placed} of {story.orders} orders were placed"] if placed != story.orders else []


def lost_orders(story: Story) -> list[str]:
    missing = sorted(set(story.ordered) - set(story.packed))
    return [f"order {order} was acknowledged and never packed" for order in missing]


def lost_payments(story: Story) -> list[str]:
    return [
        f"payment {number} of {customer} was acknowledged and never taken"
        for customer, numbers in sorted(story.charged.items())
        for number in sorted(set(numbers) - set(story.paid.get(customer, [])))
    ]


def disorder(story: Story) -> list[str]:
    """Each customer's payments first appear as 1, 2, 3 …; one that comes again changes nothing."""
    found = []
    for customer, numbers in sorted(story.paid.items()):
        firsts = dict.fromkeys(numbers)
        wrong = [(place, number) for place, number in enumerate(firsts, start=1) if number != place]
        found += [f"{customer}: payment {number} came where {place} belongs" for place, number in wrong[:1]]
    return found


def strays(story: Story) -> list[str]:
    """The dead-letter queue holds the poison, once, and nothing else."""
    found = [f"{body!r} is in the dead-letter queue" for body in story.dead if body != story.poison]
    times = story.dead.count(story.poison)
    if times != 1:
        found.append(f"the poison message is {times} times in the dead-letter queue")
    return found


def leftovers(story: Story) -> list[str]:
    return [f"{count} messages are left in {queue}" for queue, count in sorted(story.left.items()) if count]


def problems(story: Story) -> list[str]:
    """Everything that is wrong; empty when the story held."""
    rules = (unplaced, lost_orders, lost_payments, disorder, strays, leftovers)
    return list(story.accidents) + [problem for rule in rules for problem in rule(story)]
