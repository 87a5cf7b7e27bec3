"""The kinds of files, in the order in which a utility that begins brings them."""

from billing.importing.connections import CONNECTIONS
from billing.importing.customers import CUSTOMERS
from billing.importing.kind import Kind
from billing.importing.meters import METERS
from billing.importing.money import BALANCES, PAYMENTS
from billing.importing.readings import READINGS
from billing.importing.tariffs import TARIFFS

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (TARIFFS, CUSTOMERS, CONNECTIONS, METERS, BALANCES, READINGS, PAYMENTS)
}
