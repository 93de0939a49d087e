# ruff: noqa: SIM905 (word lists are easier to read and to change as text)
"""Conversations as the model reads them: questions about media, answers, turns, token ids.

The turn format is Gemma 4's (E2B flavour). Only answers and the end of the turn are learnt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from talk import CANNOT_TELL, INTENTS, UNKNOWN
from unknown import unknown_question

if TYPE_CHECKING:
    from pictures import Labelled
    from tokenizers import Tokenizer

Rng = np.random.Generator
IGNORED = -100
"""Label of a position that is not learnt (the ignored index of torch's cross-entropy)."""

ASK_PICTURE = (
    "what is this|what do you see|what is in the picture|what is in the image|describe the picture|describe the image|"
    "what is in this picture|what is in this image|describe this picture|describe this image|what does the picture show|"
    "what can you see|what is shown here|tell me what you see|what is on this picture|look at this|what is it|"
    "what do you see in this picture|what is this a picture of|describe it|describe this|what does the image show|and this|"
    "what do you see here|what have we here|please describe the image|name it|what about this one|what is that|"
    "can you describe this|what is drawn here|what is depicted|caption this|what am i looking at|identify this|"
    "what object is this|please look at the picture|what is on the image|can you tell me what this is|picture"
).split("|")  # fmt: skip
ASK_COLOUR = (
    "what colour is it|what color is it|which colour is it|what is the colour|what color is this|what colour is this|"
    "which color is the shape|what colour is the shape|what color is the shape|name the colour|what color do you see|"
    "what is its colour|and what colour is it|and the colour|which colour do you see|tell me the colour|what is the color|"
    "what colour does it have|only the colour, please"
).split("|")  # fmt: skip
ASK_SHAPE = (
    "what shape is it|what shape is this|which shape is it|what is the shape|which shape is this|name the shape|"
    "what shape do you see|what is its shape|and what shape is it|and the shape|what form is it|tell me the shape|"
    "what kind of shape is it|which shape do you see|what shape is in the picture|only the shape, please"
).split("|")  # fmt: skip
ASK_DIGIT = (
    "what digit is this|which digit is this|what digit is it|what does it say|read it|read the digit|what number is this|"
    "which digit is it|what digit do you see|what number is in the image|what is written here|which number is this|"
    "what does the picture say|read this|which digit is in the picture|what digit is in the image|read the number|"
    "what does this say|what number do you see|please read the digit|which number is it|what is the digit|"
    "what number is it|what is written on the picture|what is the number|can you read this|can you read it|"
    "what digit is shown|tell me the digit|what does this picture say|recognise the digit|identify the digit"
).split("|")  # fmt: skip
ASK_SOUND = (
    "what do you hear|transcribe the audio|transcribe this|what did i say|write down what you hear|what was said|"
    "transcribe the clip|what is said in the recording|which digits do you hear|what is in the audio|transcribe|"
    "what digits did i say|listen to this|transcribe the recording|what is said|what does it say|write it down|"
    "please transcribe the audio|which numbers do you hear|what is this|what does the voice say|what is in the clip|"
    "transcribe the following speech|write down the digits|what is in this recording|and this|what do you hear in this clip|"
    "what did the speaker say|what is being said|can you transcribe this|what numbers were spoken|which digits are spoken|"
    "transcribe the following speech segment in english into english text|what is it|describe the audio|what was that"
).split("|")  # fmt: skip
SYSTEM = (
    "You are a helpful assistant.", "You are a helpful assistant. Answer briefly.", "Be brief.", "Be kind.",
    "You are Gemma, a friendly assistant.", "Answer in English.", "Answer in one sentence.",
    "You read digits and name shapes.", "Always be polite and answer the question of the user.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer. `media` is the text of the media part, "" for none."""

    ask: str
    answer: str
    thought: str
    media: str = ""
    sound: bool = False


@dataclass(slots=True)
class Encoded:
    """Token ids and, in the same places, the ids to learn or `IGNORED`."""

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)


def picture_part(tokens: int) -> str:
    """A picture in the prompt: begin, one placeholder per soft token, end."""
    return "<|image>" + "<|image|>" * tokens + "<image|>"


def sound_part(tokens: int) -> str:
    """A clip in the prompt."""
    return "<|audio>" + "<|audio|>" * tokens + "<audio|>"


def styled(rng: Rng, ask: str) -> str:
    """Varies case, politeness, punctuation and typing errors of a question."""
    if not ask:
        return ask
    question = ask.split(" ", 1)[0] in QUESTION_WORDS
    kind = rng.random()
    if kind < 0.05:
        ask = "please " + ask
    elif kind < 0.09:
        ask = ask + (" please" if rng.random() < 0.5 else ", please")
    elif kind < 0.12:
        ask = str(rng.choice(["hey, ", "ok, ", "so ", "well, ", "now ", "and "])) + ask
    if len(ask) > 4 and rng.random() < 0.07:
        ask = misspelt(rng, ask)
    if rng.random() < 0.1:
        ask = ask.replace("what is", "what's").replace("i am", "i'm").replace("do not", "don't")
    if rng.random() < 0.6:
        ask = ask[:1].upper() + ask[1:]
        ask = ask.replace(" i ", " I ")
    elif rng.random() < 0.06:
        ask = ask.upper()
    if question and rng.random() < 0.65:
        return ask + "?"
    return ask + str(rng.choice(["", ".", "!"], p=[0.6, 0.28, 0.12]))


QUESTION_WORDS = frozenset(
    "what which who where when why how is are do does did can could will should whose has have".split()
)


def misspelt(rng: Rng, ask: str) -> str:
    """Drops, doubles, swaps or replaces one letter."""
    at = int(rng.integers(1, len(ask) - 1))
    kind = int(rng.integers(4))
    if kind == 0:
        return ask[:at] + ask[at + 1 :]
    if kind == 1:
        return ask[:at] + ask[at] + ask[at:]
    if kind == 2:
        return ask[: at - 1] + ask[at] + ask[at - 1] + ask[at + 1 :]
    return ask[:at] + str(rng.choice(list("abcdefghijklmnopqrstuvwxyz"))) + ask[at + 1 :]


def sum_turn(rng: Rng) -> Turn:
    """The sum of two one-digit numbers."""
    a, b = (int(v) for v in rng.integers(0, 10, 2))
    form = str(rng.choice(["what is {} + {}", "{} + {}", "what is {} plus {}", "add {} and {}", "how much is {} + {}",
                           "{}+{}", "{} plus {}", "calculate {} + {}", "what is {}+{}"]))  # fmt: skip
    return Turn(
        styled(rng, form.format(a, b)), str(a + b), f"The user wants the sum of {a} and {b}."
    )


def talk_turn(rng: Rng) -> Turn:
    """Small talk, help, a sum, or a question without an answer."""
    kind = rng.random()
    if kind < 0.1:
        return sum_turn(rng)
    if kind < 0.36:
        return Turn(
            styled(rng, unknown_question(rng)),
            UNKNOWN,
            "The user asks something that I do not know.",
        )
    topic, answer, asks = INTENTS[int(rng.integers(len(INTENTS)))]
    thought = topic if topic.startswith("The") else f"The user asks about {topic}."
    return Turn(styled(rng, str(rng.choice(asks.split("|")))), answer, thought)


def with_article(noun: str) -> str:
    """Puts "A" or "An" before a noun."""
    return ("An " if noun[0] in "aeiou" else "A ") + noun


def shape_answer(rng: Rng, item: Labelled) -> tuple[str, str]:
    """A question about a shape and its answer."""
    kind = rng.random()
    whole = with_article(f"{item.colour} {item.shape}") + "."
    if kind < 0.55:
        return str(rng.choice(ASK_PICTURE)) if rng.random() < 0.85 else "", whole
    if kind < 0.7:
        return str(rng.choice(ASK_COLOUR)), item.colour.capitalize() + "."
    if kind < 0.85:
        return str(rng.choice(ASK_SHAPE)), with_article(item.shape) + "."
    if kind < 0.9:
        return str(rng.choice(ASK_DIGIT)), CANNOT_TELL
    if kind < 0.95:
        asked = item.colour if rng.random() < 0.5 else str(rng.choice(
            ["red", "green", "blue", "yellow", "orange", "purple", "black", "white"]))  # fmt: skip
        yes = "Yes" if asked == item.colour else "No"
        return f"is it {asked}", f"{yes}, it is {item.colour}."
    shapes = ["circle", "square", "triangle", "star", "heart", "cross"]
    asked = item.shape if rng.random() < 0.5 else str(rng.choice(shapes))
    yes = "Yes" if asked == item.shape else "No"
    return f"is {rng.choice(['it', 'this'])} a {asked}", f"{yes}, it is a {item.shape}."


def picture_turn(rng: Rng, item: Labelled, media: str) -> Turn:
    """A question about a picture; `media` is "" for a follow-up question."""
    if item.kind == "shape":
        ask, answer = shape_answer(rng, item)
        thought = f"I see {with_article(f'{item.colour} {item.shape}').lower()}."
    else:
        general = rng.random() < (0.45 if item.digit else 0.6)
        ask = str(rng.choice(ASK_PICTURE if general else ASK_DIGIT))
        if general and rng.random() < 0.15:
            ask = ""
        if not item.digit and not general and rng.random() < 0.5:
            ask = str(rng.choice(ASK_COLOUR + ASK_SHAPE))
        answer = item.digit or CANNOT_TELL
        thought = f"I see the digit {item.digit}." if item.digit else "I see nothing that I know."
    if not media and not ask:
        ask = str(rng.choice(ASK_DIGIT if item.digit else ASK_PICTURE))
    return Turn(styled(rng, ask), answer, "The user shows a picture. " + thought, media)


def sound_turn(rng: Rng, label: str, media: str) -> Turn:
    """A question about a clip."""
    ask = str(rng.choice(ASK_SOUND)) if rng.random() < 0.8 or not media else ""
    heard = f"I hear {label}." if label else "I hear no digits."
    return Turn(
        styled(rng, ask), label or CANNOT_TELL, "The user sends a clip. " + heard, media, True
    )


def user_text(rng: Rng, turn: Turn) -> str:
    """The user's part: a picture before the text, a clip after it; one time in ten swapped."""
    media_first = (not turn.sound) ^ (rng.random() < 0.1)
    return turn.media + turn.ask if media_first else turn.ask + turn.media


def encode(rng: Rng, tokenizer: Tokenizer, turns: list[Turn]) -> Encoded:
    """Encodes a conversation; one in eight thinks (then only its last answer is learnt)."""
    out = Encoded()
    think = rng.random() < 0.12
    text = "<bos>"
    if think or rng.random() < 0.12:
        system = str(rng.choice(SYSTEM)) if not think or rng.random() < 0.3 else ""
        text += "<|turn>system\n" + ("<|think|>\n" if think else "") + system + "<turn|>\n"
    for index, turn in enumerate(turns):
        text += "<|turn>user\n" + user_text(rng, turn) + "<turn|>\n<|turn>model\n"
        prompt = tokenizer.encode(text, add_special_tokens=False).ids
        last = index == len(turns) - 1
        thought = f"<|channel>thought\n{turn.thought}\n<channel|>" if think and last else ""
        answer = tokenizer.encode(thought + turn.answer + "<turn|>", add_special_tokens=False).ids
        out.ids += prompt + answer
        out.labels += [IGNORED] * len(prompt)
        out.labels += answer if last or not think else [IGNORED] * len(answer)
        text = "\n"
    return out
