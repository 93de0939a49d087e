# ruff: noqa: SIM905 (word lists are easier to read and to change as text)
"""Questions the model cannot answer, in very many forms, so that it learns not to bluff."""

from __future__ import annotations

import numpy as np

Rng = np.random.Generator

COUNTRIES = ("france germany italy spain japan china india brazil canada mexico egypt kenya poland sweden norway peru "
             "chile turkey greece ireland austria portugal vietnam thailand russia morocco finland denmark cuba iran").split()  # fmt: skip
LANGUAGES = "french german spanish italian japanese polish russian latin dutch chinese greek turkish korean".split()
CODE = "python rust java javascript go haskell c bash sql swift kotlin ruby perl lisp".split()
TASKS = ("sorts a list|reverses a string|reads a file|counts words|computes primes|parses json|downloads a page|"
         "finds the largest number|removes duplicates|merges two lists|draws a chart|sends an email").split("|")  # fmt: skip
THINGS = ("the moon|gravity|photosynthesis|a black hole|inflation|democracy|the sun|an atom|dna|the internet|quantum physics|"
          "a volcano|an earthquake|the big bang|a compiler|recursion|evolution|electricity|magnetism|a virus|the stock market|"
          "a verb|a sonnet|the french revolution|world war two|the roman empire|relativity|machine learning|a neural network|"
          "chess|football|jazz|bread|coffee|a whale|a neutron star|an algorithm|a database|the theory of games|glass|steel|"
          "climate change|the human brain|a llama|blockchain|entropy|the ocean|philosophy|karma|a fugue|cheese").split("|")  # fmt: skip
PEOPLE = ("einstein|napoleon|shakespeare|mozart|cleopatra|newton|darwin|beethoven|picasso|gandhi|lincoln|caesar|"
          "marie curie|plato|aristotle|da vinci|the president|the queen|the pope|elvis|turing|ada lovelace|bach|goethe").split("|")  # fmt: skip
DISHES = "pancakes|bread|soup|pizza|apple pie|curry|sushi|risotto|a cake|pasta|a salad|lasagna|cookies|tea|jam".split(
    "|"
)
WORDS = ("house|cat|dog|water|love|tree|bread|sky|friend|book|horse|river|apple|sun|night|work|school|music|city|"
         "computer|window|flower|winter|bird|mother|train|money|heart|game|dream").split("|")  # fmt: skip
PLACES = "london paris berlin tokyo rome madrid moscow cairo sydney boston chicago oslo vienna prague lima delhi".split()

SINGLE = (
    "why is the sky blue|what is the meaning of life|who won the last election|what is the time|what time is it|what day is it|"
    "what is the weather|will it rain tomorrow|what is the date today|how old are you|what is your favourite colour|"
    "do you like music|where do you live|do you have a family|are you happy|do you dream|what is love|is there a god|"
    "what should i cook today|what should i wear|recommend a film|recommend a book|what is the news|how do i lose weight|"
    "can you order a pizza|play some music|set an alarm|open the browser|send an email to my boss|book a flight|"
    "how many people live on earth|what is the tallest mountain|what is the longest river|how deep is the ocean|"
    "how far away is the moon|how fast is light|what is the largest animal|who discovered america|who invented the telephone|"
    "who painted the mona lisa|who was the first man on the moon|how many planets are there|what is pi|what is the square root of 2|"
    "how many days has a year|how do planes fly|how does a car work|why do cats purr|how do i fix my bicycle|"
    "what is the best phone|how do i learn piano|can you sing|write a letter to my landlord|fix this bug|debug my program|"
    "review my code|write a unit test|explain this error|what does segmentation fault mean|how do i install linux|"
    "how do i use git|what is docker|summarise this text|correct my grammar|paraphrase this sentence|give me advice|"
    "plan my holiday|plan a trip|should i buy a house|what is bitcoin|how do i get rich|is the earth flat|"
    "what comes after z|spell banana|how many letters are in strawberry|what rhymes with orange|is a tomato a fruit|"
    "what is heavier, lead or feathers|solve the riddle|what is my name|where am i|who am i|what did i have to eat|"
    "tell me a secret|tell me a fact|tell me something interesting|give me a quote|what is the stock price of apple|"
    "how do i tie a tie|what happened in 1969|when did the war end|what is the population of europe|draw a cat|"
    "draw me a picture|generate an image|make a song|translate this|translate the text|say it in french|do you speak german|"
    "what is the plural of mouse|what is the past tense of go|how tall is the eiffel tower|what is your opinion on politics"
).split("|")  # fmt: skip


def invented(rng: Rng) -> str:
    """A made-up word, so that names never seen before are met with the same honesty."""
    syllables = [
        str(rng.choice(list("bcdfghjklmnprstvwz"))) + str(rng.choice(list("aeiou")))
        for _ in range(3)
    ]
    return "".join(syllables[: int(rng.integers(2, 4))]) + str(
        rng.choice(["", "n", "r", "s", "l", "t"])
    )


def one_of(rng: Rng, values: list[str] | tuple[str, ...]) -> str:
    """A value, one time in five an invented word instead."""
    return invented(rng) if rng.random() < 0.2 else str(rng.choice(values))


def arithmetic(rng: Rng) -> str:
    """Calculations other than sums of two one-digit numbers."""
    a, b = int(rng.integers(2, 1000)), int(rng.integers(10, 1000))
    sign = str(rng.choice(["+", "-", "*", "/", "times", "minus", "divided by", "plus"]))
    form = str(
        rng.choice(["what is {}", "{}", "calculate {}", "how much is {}", "solve {}", "compute {}"])
    )
    return form.format(f"{a} {sign} {b}")


TEMPLATES = (
    ("what is the capital of {}", COUNTRIES), ("where is {}", COUNTRIES + PLACES),
    ("tell me about {}", [*THINGS, *PEOPLE, *COUNTRIES]), ("how many people live in {}", COUNTRIES + PLACES),
    ("who is {}", PEOPLE), ("who was {}", PEOPLE), ("when was {} born", PEOPLE), ("where did {} live", PEOPLE),
    ("what did {} do", PEOPLE), ("when did {} die", PEOPLE), ("what is {}", THINGS), ("what are {}s", WORDS),
    ("explain {}", THINGS), ("explain {} to a child", THINGS), ("how does {} work", THINGS),
    ("why is {} important", THINGS), ("what do you know about {}", [*THINGS, *PEOPLE]),
    ("write an article about {}", [*THINGS, *PEOPLE]), ("give me three facts about {}", [*THINGS, *COUNTRIES]),
    ("translate {} into french", WORDS), ("translate hello into {}", LANGUAGES), ("how do you say {} in german", WORDS),
    ("how do you say thank you in {}", LANGUAGES), ("what does {} mean", [*WORDS, *THINGS]), ("define {}", [*WORDS, *THINGS]),
    ("write a {} function", CODE), ("write a function that {}", TASKS), ("write a program that {}", TASKS),
    ("write a python script that {}", TASKS), ("how do i write a loop in {}", CODE), ("what is {} used for", CODE),
    ("which is better, {} or python", CODE), ("how do i make {}", DISHES), ("give me a recipe for {}", DISHES),
    ("how long do i cook {}", DISHES), ("what is the weather in {}", PLACES), ("what can i see in {}", PLACES),
    ("how do i get to {}", PLACES), ("who is the president of {}", COUNTRIES), ("what language do they speak in {}", COUNTRIES),
    ("what is the history of {}", [*THINGS, *COUNTRIES]), ("who invented {}", THINGS), ("when was {} invented", THINGS),
    ("summarise {}", THINGS), ("compare {} and water", THINGS), ("what colour is a {}", WORDS), ("how big is {}", THINGS),
    ("is {} dangerous", THINGS), ("do you like {}", [*WORDS, *DISHES]), ("spell {}", WORDS), ("how old is {}", PEOPLE),
    ("where can i buy {}", DISHES), ("can you explain how {} works", THINGS), ("what is the opposite of {}", WORDS),
    ("make a sentence with {}", WORDS), ("are there {}s in space", WORDS), ("what is the difference between {} and gold", THINGS),
)  # fmt: skip


def unknown_question(rng: Rng) -> str:
    """Draws a question without an answer."""
    kind = rng.random()
    if kind < 0.3:
        return str(rng.choice(SINGLE))
    if kind < 0.38:
        return arithmetic(rng)
    if kind < 0.42:
        return " ".join(invented(rng) for _ in range(int(rng.integers(1, 6))))
    template, values = TEMPLATES[int(rng.integers(len(TEMPLATES)))]
    return template.format(one_of(rng, values))
