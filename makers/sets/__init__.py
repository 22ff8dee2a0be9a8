"""How the included stimulus sets were made: `build_mini` and `build_scenes`."""
