"""Word lists: names of people, places and jobs. Own lists, so that the data is the same on every machine."""

import unicodedata

FIRST_NAMES = """
Aisha Alejandro Amara Anders Anna Arjun Astrid Ayumi Beatriz Bruno Camille Carlos Chiara Chloé Daniel Daria David
Deniz Diego Elena Elif Emil Emma Erik Esther Fatima Felix Fiona Gabriel Giulia Grace Hanna Haruto Hassan Helena Hugo
Ibrahim Ines Ingrid Isla Ivan Jakub Jasmin Joana Johan Jonas Joseph Julia Kaito Karim Katarina Kofi Lars Laura Lea
Leila Liam Lina Linh Lucia Luis Maja Malik Marco Margot Maria Mateo Mei Mikael Mina Miriam Mohammed Nadia Nia Niklas
Nina Noah Olga Oliver Omar Paulo Petra Priya Rafael Ravi Rosa Samir Sara Sofia Stefan Sven Tariq Thea Theo Tomás
Valentina Victor Wei Yara Yusuf Zoë
""".split()  # noqa: SIM905 - read as a text

LAST_NAMES = """
Abdi Acosta Adeyemi Almeida Andersson Asante Bakker Banerjee Barbosa Bauer Becker Bennett Berg Bianchi Blanco Bose
Brandt Cardoso Castillo Chen Clarke Conti Costa Cruz Dahl Delgado Demir Diallo Dubois Eklund Eriksen Evans Faria
Farouk Fernandes Ferrari Fischer Fleming Fontaine Garcia Georgiou Gomes Grant Gupta Hansen Hartmann Hassan Hayashi
Henriksen Herrera Hoffmann Horvath Ibsen Ito Ivanova Jansen Jensen Johansson Kaplan Karlsson Kaya Keita Khan Kim
Kimura Klein Kovacs Kumar Lambert Laurent Lehmann Lindqvist Lopez Lund Maes Marino Martins Mbeki Mendes Meyer Miller
Moreau Moretti Morris Mwangi Nakamura Navarro Nguyen Nielsen Novak Nowak Okafor Okoye Olsen Ortega Osei Palmer Park
Patel Pereira Petrov Pinto Popescu Quinn Ramos Rao Reyes Ricci Rinaldi Romero Rossi Roux Russo Sato Schmid Schneider
Schulz Sharma Silva Singh Smit Sokolov Sousa Stewart Suzuki Svensson Tanaka Teixeira Thompson Torres Tran Usman
Vargas Varga Vega Vermeer Virtanen Visser Wagner Walker Wang Weber Winter Wolff Yamada Yilmaz Zhang Zimmermann
""".split()  # noqa: SIM905 - read as a text

JOB_TITLES = (
    "Assembly technician", "Warehouse operator", "Team lead", "Quality inspector", "Forklift driver",
    "Sales representative", "Account manager", "Service engineer", "Payroll specialist", "Recruiter",
    "Software developer", "Data analyst", "Shift supervisor", "Electrician", "Project manager", "Nurse",
    "Receptionist", "Buyer", "Planner", "Trainer",
)  # fmt: skip

# Name of the branch, and of those below it.
BRANCHES = {
    "Lighthouse Group": ("Europe", "Americas", "Asia Pacific", "Partners"),
    "Europe": ("Germany", "Netherlands", "Portugal", "Sweden"),
    "Americas": ("Canada", "Brazil", "Mexico"),
    "Asia Pacific": ("India", "Japan", "Vietnam"),
    "Germany": ("Hamburg plant", "Munich office"),
    "Netherlands": ("Rotterdam warehouse", "Utrecht office"),
    "Portugal": ("Porto plant",),
    "Sweden": ("Malmö office",),
    "Canada": ("Toronto office",),
    "Brazil": ("Santos warehouse",),
    "Mexico": ("Puebla plant",),
    "India": ("Pune office",),
    "Japan": ("Osaka plant",),
    "Vietnam": ("Da Nang office",),
    "Partners": ("Resellers", "Contractors"),
}

# The country's own: language, time zone, dialling code, currency.
COUNTRIES = {
    "Hamburg plant": ("de", "Europe/Berlin", "+49 40", "EUR"),
    "Munich office": ("de", "Europe/Berlin", "+49 89", "EUR"),
    "Rotterdam warehouse": ("nl", "Europe/Amsterdam", "+31 10", "EUR"),
    "Utrecht office": ("nl", "Europe/Amsterdam", "+31 30", "EUR"),
    "Porto plant": ("pt", "Europe/Lisbon", "+351 22", "EUR"),
    "Malmö office": ("sv", "Europe/Stockholm", "+46 40", "SEK"),
    "Toronto office": ("en", "America/Toronto", "+1 416", "CAD"),
    "Santos warehouse": ("pt", "America/Sao_Paulo", "+55 13", "BRL"),
    "Puebla plant": ("es", "America/Mexico_City", "+52 222", "MXN"),
    "Pune office": ("en", "Asia/Kolkata", "+91 20", "INR"),
    "Osaka plant": ("ja", "Asia/Tokyo", "+81 6", "JPY"),
    "Da Nang office": ("vi", "Asia/Ho_Chi_Minh", "+84 236", "VND"),
    "Resellers": ("en", "Europe/London", "+44 20", "GBP"),
    "Contractors": ("en", "America/New_York", "+1 212", "USD"),
}
PLACES = tuple(COUNTRIES)


def plain(name: str) -> str:
    """A name as it stands in a username: lower case, without accents and spaces."""
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in decomposed if letter.isascii() and (letter.isalnum() or letter in "-."))


def name_of(number: int) -> tuple[str, str, str]:
    """First name, last name and username of the person with that number; no two share a username."""
    names = len(FIRST_NAMES) * len(LAST_NAMES)
    turn, place = divmod(number, names)
    place = place * 7919 % names  # a prime that divides neither length: every pair of names comes once a turn
    first, last = FIRST_NAMES[place % len(FIRST_NAMES)], LAST_NAMES[place // len(FIRST_NAMES)]
    return first, last, f"{plain(first)}.{plain(last)}{turn + 1 if turn else ''}"
