"""Writes the Arrow bodies beside this file, with pyarrow 26 and polars 1.42: what people send."""
import json
import os
import pathlib

import polars as pl
import pyarrow as pa
import pyarrow.feather as feather

here = pathlib.Path(__file__).parent
ids = ["a", "b", "c"]
values = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
metadata = [json.dumps({"n": n}) for n in range(3)]


def fixed(kind):
    return pa.array(values, pa.list_(kind, 3))


def stream(name, table, options=None, rows=None):
    with pa.ipc.new_stream(str(here / name), table.schema, options=options) as out:
        out.write_table(table, rows)


plain = pa.table({"id": ids, "metadata": metadata, "vector": fixed(pa.float32())})
labels = pa.array(["x", None, "x"]).dictionary_encode()
labelled = plain.append_column("label", labels)
stream("two-batches.arrows", labelled, rows=2)
stream("slice.arrows", labelled.slice(1, 2))
stream("lz4.arrows", plain, pa.ipc.IpcWriteOptions(compression="lz4"))

half = pa.table({"id": ids, "vector": fixed(pa.float16())})
feather.write_feather(half, str(here / "half.arrow"), compression="uncompressed")

struct = pa.array(
    [{"shop": "north", "year": 2024, "sale": True}, {"shop": None, "year": 1, "sale": False}, None],
    pa.struct([("shop", pa.string()), ("year", pa.int64()), ("sale", pa.bool_())]),
)
large = {
    "id": pa.array(ids, pa.large_string()),
    "metadata": struct,
    "width": pa.array([3, None, 5], pa.int32()),
    "vector": pa.array([values[0], None, values[2]], pa.large_list(pa.float64())),
}
stream("large.arrows", pa.table(large))

several = pa.array([values[:2], values[2:], []], pa.list_(pa.list_(pa.float32(), 3)))
stream("several.arrows", pa.table({"id": pa.array(["a", None, "c"]), "vectors": several}))

views = plain.set_column(0, "id", pa.array(ids).cast(pa.string_view()))
stream("views.arrows", views)
maps = pa.array([[("n", "1")]] * 3, pa.map_(pa.string(), pa.string()))
stream("map.arrows", plain.set_column(1, "metadata", maps))
deltas = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
with pa.ipc.new_stream(str(here / "deltas.arrows"), labelled.schema, options=deltas) as out:
    for words in (["x", "y"], ["x", "y", "z"]):
        column = pa.DictionaryArray.from_arrays(pa.array([0, 1, len(words) - 1], pa.int32()), words)
        out.write_table(plain.append_column("label", column))

frame = pl.DataFrame({"id": ids, "vector": values}, schema_overrides={"vector": pl.Array(pl.Float32, 3)})
frame.write_ipc_stream(here / "polars.arrows", compat_level=pl.CompatLevel.oldest())
frame.write_ipc_stream(here / "polars-newest.arrows")
for file in sorted(here.glob("*.arrow*")):
    print(file.name, os.path.getsize(file))
