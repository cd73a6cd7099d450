"""Demo data that tells a story: a company, its people, what they learned, and duplicate pairs that show the rules.

Everything follows from a fixed seed, the number of accounts and one moment, so two loads at one moment are equal.
`sheets` writes, `catalog` holds what the company offers, `people` and `learning` make one account after the other,
`pairs` prepares the duplicates, `load` puts them together.
"""
