# ruff: noqa: SIM905 (word lists are easier to read and to change as text)
"""Words and sentences that are not digits: negatives for speech, and lettering for pictures.

Homophones of digits (won, to, too, for, ate) are left out on purpose.
"""

from __future__ import annotations

OTHER_WORDS = tuple(
    """
    yes no hello goodbye stop left right up down red green blue yellow cat dog bird house help
    morning evening water coffee table window garden river mountain summer winter music paper
    pencil button window computer keyboard screen picture colour garden kitchen bottle orange
    apple banana lemon carrot potato tomato bread butter cheese sugar chicken family mother father
    sister brother doctor teacher driver farmer city village street market school office station
    train airplane bicycle engine petrol silver golden purple circle square triangle happy angry
    quiet gentle simple clever famous careful yesterday tomorrow monday tuesday wednesday thursday
    friday saturday sunday january february march april june july august september october november
    december paris london berlin madrid africa europe alpha bravo charlie delta echo foxtrot golf
    hotel india juliet kilo lima mike papa quebec romeo sierra tango uniform victor whiskey zulu
    hundred thousand million eleven twelve twenty thirty fifty percent dollar meter never always
    maybe sometimes because although question answer language program memory network open close
    begin finish listen repeat remember forget travel running walking singing dancing cooking
    """.split()
)

OTHER_SENTENCES = (
    "What is the weather like today?",
    "Please open the window.",
    "The quick brown fox jumps over the lazy dog.",
    "Hello, how are you?",
    "I would like a cup of coffee, please.",
    "Good morning everybody.",
    "Where is the railway station?",
    "My name is Alexander.",
    "She sells sea shells on the sea shore.",
    "It was a dark and stormy night.",
    "Can you hear me?",
    "This is a test of the microphone.",
    "Turn left at the next street.",
    "Thank you very much.",
    "The meeting begins tomorrow morning.",
    "All good things come in small packages.",
    "Please leave a message after the signal.",
    "The train from London is late.",
    "He plays the guitar every evening.",
    "What do you think about that?",
    "Nobody knows what happened.",
    "Remember, remember, the month of November.",
    "Music is food of love.",
    "Snow is falling on the mountain.",
    "I am not sure about this.",
    "The garden is full of flowers.",
    "Could you repeat that, please?",
    "An apple a day keeps the doctor away.",
    "Happy birthday, my dear friend.",
    "Where did you put my keys?",
    "Stop it right now!",
    "The battery is almost empty.",
    "Breakfast is ready.",
    "My sister lives in a small village.",
    "Call me back when you can.",
    "Is anybody there?",
    "A stitch in time saves money.",
    "The cat is sleeping under the table.",
    "Language models are statistical machines.",
    "Goodbye, and see you next week.",
)
