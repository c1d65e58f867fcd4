"""Small random choices, of which requests are made."""

import random


class Choices:
    """The id is the seed, so that adding other requests changes nothing here."""

    def __init__(self, id):
        self.id = id
        self.random = random.Random(id)

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *values):
        return self.random.choice(values)

    def number(self):
        return self.pick(round(self.random.gauss(0, 2), 1), round(self.random.gauss(0, 1), 3),
                         self.random.randint(-3, 3), 0.5, 0)

    def rows(self):
        return [[self.number() for _ in range(self.n)] for _ in range(self.row_count)]

    def each(self, make, probability=0.4):
        """One value, or one for each row."""
        if not self.is_single and self.chance(probability):
            return [make() for _ in range(self.row_count)]
        return make()

    def maybe(self, name, probability, *values):
        if self.chance(probability):
            self.members[name] = self.pick(*values)
