//===- Tile.td - All of the tile dialect, for TableGen ---------------------===//
include "dialects/tile/TileLinearOps.td"
