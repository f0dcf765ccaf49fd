"""The commands of `errata`, one module per kind: processes, HTTP clients, the data folder, benches."""
