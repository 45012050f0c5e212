"""What a message with several requests means by each: the second is read as a follow-up to the first.

"Our prices change weekly. What suits us, and will it put a stop to invented stuff?" asks with "it" for what the first request will be answered with, so that
nothing is found for its words alone. The encoder that reads a conversation's follow-ups (knowledge/dialogue.py) reads it behind the first request and the
sentence that would answer that, and so does what reads from left to right.
"""

from __future__ import annotations

from knowledge.dialogue import in_context
from knowledge.search import Part, Search
from tutor.context.ordinals import by_name
from tutor.context.topic import named_topic
from tutor.followup import fill_in, read_in_dialogue
from tutor.requests.parts import Asked, parts_of


def read_parts(query: str, search: Search) -> tuple[Part, ...]:
    """The parts of a message, those that go on from another one in its light; empty where it is one question."""
    read: list[Part] = []
    for asked in parts_of(query, search.mentions):
        if asked.after:
            answered = _likeliest(read[-1], search)
            read.append(_go_on(asked, answered, search))
        else:
            read.append(Part(asked.words))
    return tuple(read)


def _go_on(asked: Asked, answered: str, search: Search) -> Part:
    """The part as a follow-up to what stands before it, which `answered` answers."""
    context = in_context(asked.words, asked.after, answered)
    topic = named_topic(asked.after, answered, None, search.knowledge, search.mentions)
    if topic is None:
        return Part(asked.text, context=context)
    order = topic.in_order(answered, search.mentions)
    vector = read_in_dialogue(by_name(asked.words, [topic.named([side]) for side in order]), topic, answered, search)
    text = asked.text if search.mentions.sides(asked.words) else fill_in(asked.words, topic, search.mentions, order)
    return Part(text, vector, topic.concept.id, context)


def _likeliest(part: Part, search: Search) -> str:
    """The sentence nearest to it, of the passage that fits best."""
    (hit,) = search.search(part.text, 1, part.concept, vector=part.vector).hits
    sentences = hit.passage.sentences
    near = search.tuned.embed(sentences) @ (search.tuned.embed([part.text])[0] if part.vector is None else part.vector)
    return sentences[int(near.argmax())]
