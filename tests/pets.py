"""A tiny body of knowledge: two sets of concepts and a picture, as their files hold them."""

from __future__ import annotations

import textwrap

CATS = textwrap.dedent("""\
    ---
    id: cats-vs-dogs
    title: Cats vs dogs
    question: What is the difference between cats and dogs?
    sides:
      - {id: cats, name: cats, aliases: [cat, felines]}
      - {id: dogs, name: dogs, aliases: [dog, Watch-Dogs]}
    terms: [pets]
    prerequisites: []
    related: [tea-vs-coffee]
    demos: []
    diagram: cats.svg
    diagram_alt: A cat beside a dog.
    sources:
      - {key: ark, title: "Noah 1, A list of animals", url: "https://example.org/ark"}
    ---

    ## What cats are
    kind: definition
    about: [cats]
    sources: [ark]
    asks:
      - What are cats?
      - cats definition
      - Tell me about cats.

    Cats purr softly on warm cushions. Cats sleep 16 hours a day.

    ## What dogs are
    kind: definition
    about: [dogs]
    sources: [ark]
    asks:
      - What are dogs?
      - dogs definition
      - Tell me about dogs.
    asks_yes:
      - Do dogs bark loudly at every single postman in the whole long street?
      - Are dogs loud?

    Dogs bark loudly at every postman. Dogs fetch sticks from cold water.

    ## Cats and dogs side by side
    kind: contrast
    about: [cats, dogs]
    sources: [ark]
    asks:
      - What is the difference between cats and dogs?
      - cats vs dogs
      - How do cats differ from dogs?

    Cats hunt alone by night, while dogs hunt in packs by day. Dogs obey their owner, and cats obey nobody.

    ## Cats are small dogs
    kind: misconception
    about: [cats]
    sources: [ark]
    claim: Cats are just small dogs.
    why: Both are furry.
    asks: [the family of a cat]
    asks_no:
      - Are cats small dogs?

    Cats belong to another family than dogs. No cat grows into a wolf.

    ## Quiz

    ### Who barks?
    - [ ] Cats
    - [x] Dogs
    - [ ] Nobody
    > Dogs bark at the postman.

    ### Who purrs?
    - [x] The cat
    - [ ] The dog
    > Cats purr.
    """)

TEA = textwrap.dedent("""\
    ---
    id: tea-vs-coffee
    title: Tea vs coffee
    question: What is the difference between tea and coffee?
    sides:
      - {id: tea, name: tea, aliases: [green tea]}
      - {id: coffee, name: coffee, aliases: [espresso]}
    sources:
      - {key: cup, title: "Brewer 1900, On cups", url: "https://example.org/cup"}
    ---

    ## What tea is
    kind: definition
    about: [tea]
    sources: [cup]
    asks:
      - What is tea?
      - Define tea.

    Tea is steeped from dried leaves. Tea holds 40 mg of caffeine a cup.

    ## What coffee is
    kind: definition
    about: [coffee]
    sources: [cup]
    asks:
      - What is coffee?
      - Define coffee.

    Coffee is brewed from roasted beans. Coffee holds 95 mg of caffeine a cup.
    """)

PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 100">'
    '<title>Pets</title><g><rect width="10" height="10" fill="url(#a)"/></g></svg>'
)
