"""The people and places of the demonstration."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

ZONES = (("KIL", "Kilimani"), ("KAS", "Kasarani"))

ADDRESSES = (
    "Wood Avenue", "Mwiki Road", "Argwings Lane", "Thika Road Estate", "Ndemi Close", "Hunters Court",
    "Galana Road", "Clay City", "Rose Avenue", "Sunton Plot", "Lenana Court", "Seasons Estate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, with the habit of paying: 'full', 'part', 'late', 'ahead' or 'never'.

    An institution has a connection for each of its `rooms`: a building and a department in it.
    """

    name: str
    language: str = "en"
    pays: str = "full"
    kind: str = "domestic"
    status: str = "active"
    prepaid: bool = False
    rooms: tuple[tuple[str, str], ...] = (("", ""),)


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """A connection to be, and how much is used there in a month. What happens there is drawn from `chance`."""

    chance: Random
    connection_id: int
    meter_id: int
    person: Person | None
    place: int
    monthly: Decimal
    start: Decimal


SCHOOL = (
    ("Classrooms", "Laboratory"), ("Classrooms", "Kitchen"),
    ("Hostel", "East wing"), ("Hostel", "West wing"), ("Hostel", "Laundry"),
)  # fmt: skip


PEOPLE = (
    Person("Wanjiku Kamau", pays="part"),
    Person("Juma Hassan Mwinyi", "sw"),
    Person("Achieng Odhiambo"),
    Person("Kipchoge Rotich", pays="late"),
    Person("Fatuma Abdalla Said", "sw", "part"),
    Person("Njeri Mwangi", pays="ahead"),
    Person("Otieno Okoth"),
    Person("Halima Noor Ibrahim", "sw"),
    Person("Mutua Musyoka", pays="late"),
    Person("Chebet Koech"),
    Person("Wekesa Barasa", "sw", "part"),
    Person("Nyambura Gitau"),
    Person("Omondi Ouma", pays="never"),
    Person("Mwanaisha Bakari", "sw", "ahead"),
    Person("Karanja Njoroge"),
    Person("Akinyi Onyango", pays="part"),
    Person("Kimani General Stores", kind="commercial"),
    Person("Zawadi Charo", "sw"),
    Person("Jepkosgei Cheruiyot"),
    Person("Mwende Kilonzo", pays="late"),
    Person("Nekesa Wafula", "sw"),
    Person("Gathoni Waweru"),
    Person("Salim Omar Farah", "sw", "part"),
    Person("Atieno Adhiambo", pays="ahead"),
    Person("Mama Njambi Hotel", "sw", kind="commercial"),
    Person("Kiprono Langat"),
    Person("Muthoni Kariuki", pays="never"),
    Person("Baraka Mwakio", "sw", prepaid=True),
    Person("Ndungu Macharia"),
    Person("Auma Owino", pays="part"),
    Person("Saumu Mwalimu", "sw", "never", status="suspended"),
    Person("Kibet Sang"),
    Person("Wairimu Ndirangu"),
    Person("Musa Lokwang", "sw", "ahead"),
    Person("Nafula Simiyu"),
    Person("Githinji Car Wash", pays="part", kind="commercial"),
    Person("Moraa Nyaboke"),
    Person("Kassim Juma Ali", "sw"),
    Person("Nduku Mutiso", pays="late"),
    Person("Upendo Girls School", kind="institution", rooms=SCHOOL),
)
