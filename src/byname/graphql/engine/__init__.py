"""From the text of a GraphQL request to its answer: reading, limits, validation, plans."""

from byname.graphql.engine.below import names_below
from byname.graphql.engine.documents import Prepared
from byname.graphql.engine.engine import Engine
from byname.graphql.engine.limits import Limits
from byname.graphql.engine.results import Failure, Info, Result
from byname.graphql.engine.schema import Attribute, bind_schema, load_schema

__all__ = [
    "Engine",
    "Prepared",
    "Limits",
    "Result",
    "Failure",
    "Info",
    "names_below",
    "Attribute",
    "load_schema",
    "bind_schema",
]
