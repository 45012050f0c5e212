"""What the measures of the experiments mean, for learners who ask about a word or a column of a report; the same words stand in several."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """`words` is a pattern for its name in questions, and in reports unless it `stands` otherwise there; `means` says what it is, `reads` how a value of it is read."""

    words: str
    means: str
    reads: str = ""
    stands: str = ""


TERMS = (
    Term(
        r"perplexit\w+",  # Jurafsky and Martin, Speech and Language Processing, 3rd ed. draft, chapter 3
        "Perplexity tells how undecided the model is at each next token of a text: with a perplexity of 31 it is as undecided as among 31 equally likely tokens.",
        "Of perplexity lower is better and 1 would be certainty; above 49,152, the number of tokens in this model's vocabulary, the model does worse than blind guessing.",
    ),
    Term(
        r"kl|kullback\W+leibler",  # Kullback and Leibler 1951, https://doi.org/10.1214/aoms/1177729694
        "KL, the Kullback-Leibler divergence, measures how far the probabilities of one model lie from those of another, here from the one that it is compared with.",
        "A KL of 0 means that both give the same probabilities; it has no upper end.",
    ),
    Term(
        r"entropy",  # Shannon 1948, https://doi.org/10.1002/j.1538-7305.1948.tb01338.x
        "Entropy tells how evenly the probability is spread over the next tokens, as how undecided the model is: each bit more stands for twice as many equally likely tokens.",
        "An entropy of 0 bits means that one token has all the probability; with this model's 49,152 tokens it can be 15.6 bits at most.",
    ),
    Term(
        r"(?:95 ?% |confidence )?intervals?|95 ?%",  # Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
        "The 95 % interval tells how uncertain a share is that was counted on so few questions: of 100 intervals made like this, about 95 hold the true share.",
        "A wide 95 % interval means few questions, and where two intervals overlap much, their difference may be chance.",
    ),
    Term(
        r"cosines?|similarit(?:y|ies)",  # Salton and McGill 1983, Introduction to Modern Information Retrieval
        "The cosine compares the directions of two embeddings: 1 means the same direction, and 0 means that they have none in common.",
        "How high a cosine counts as high depends on the model, so it is read beside the cosines of other pairs: one model's table of single tokens says less about meaning than embeddings made for search.",
    ),
    Term(
        r"loss(?:es)?|surprise",
        "The loss is the model's surprise at the right next piece on average: the negative logarithm of the probability that it had given to it.",
        "Of the loss lower is better, and 0 would be certainty; 0.69 nats is the surprise at a coin, 2.3 that at one of ten equally likely pieces.",
    ),
    Term(
        r"nats?",
        "A nat is a unit of surprise like a bit, but counted with the natural logarithm: 1 nat is 1.44 bits.",
    ),
    Term(
        r"groups?(?:[- ]sizes?)?",  # Frantar et al. 2022, arXiv:2210.17323, section 4
        "The group size tells how many neighbouring weights are rounded with one scale in common.",
        "Smaller groups follow the weights more closely, and store more scales.",
        stands=r"groups of \d+|group-size",
    ),
    Term(
        r"(?:rounded |possible |different )?values?|levels?",
        "With 4 bits a weight can take one of 16 values in its group, with 3 bits one of 8, with 2 bits one of 4: each bit less doubles the distance between them.",
        stands=r"\bbits\b",
    ),
    Term(
        r"ids?",
        "A token's ID is its place in the list of all tokens that the model knows; as a number it means nothing.",
    ),
    Term(
        r"tokens/s|tokens (?:a|per) second|decoding",
        "Decoding is writing an answer token by token; tokens/s says how many of them this machine wrote in a second.",
    ),
    Term(
        r"tokens kept",
        "Tokens kept counts the tokens that still have some probability under the setting.",
        "A temperature removes no token by itself, but a probability that gets too small for the computer's number format is stored as 0 and is no longer counted.",
    ),
    Term(
        r"favou?rites?",
        "The favourite is the token with the highest probability.",
    ),
    Term(
        r"bf16|fp32|bfloat16|float32",  # Kalamkar et al. 2019, arXiv:1905.12322
        "bf16 and fp32 are number formats: bf16 stores a number in 16 bits, fp32 in 32, with the same range and more exact digits.",
    ),
    Term(
        r"flops?",
        "A FLOP is one calculation with numbers that have a decimal point, such as an addition or a multiplication; TFLOP/s are trillions of them a second.",
    ),
    Term(
        r"ridge",  # Williams, Waterman and Patterson 2009, https://doi.org/10.1145/1498765.1498785
        "The ridge is the number of calculations for each byte from memory at which a chip's calculating speed and its memory take equally long.",
        "Work with fewer calculations a byte than the ridge waits for memory, and work with more waits for the calculating.",
    ),
    Term(
        r"gradients?",
        "A gradient holds, for each weight that is trained, in which direction and how strongly it should change to lower the loss.",
    ),
    Term(
        r"adam\w*|running values",  # Kingma and Ba 2014, arXiv:1412.6980
        "Adam's running values are two averages for each trained weight, of its gradients and of their squares, from which the optimizer Adam sets the size of its steps.",
    ),
    Term(
        r"idle experts?",
        "An idle expert is one that the router sends no token to.",
    ),
    Term(
        r"acceptance(?: rate)?|accept(?:s|ed)?|kept share|guesses",  # Leviathan et al. 2022, arXiv:2211.17192
        "The share of kept guesses, also called acceptance rate, tells how many of the letters that the student guessed its teacher kept; each guess that is refused is lost with those after it.",
    ),
    Term(
        r"masks?",
        "A mask of one bit a weight tells where the weights stand that were not removed, so that only these need be stored.",
    ),
)
