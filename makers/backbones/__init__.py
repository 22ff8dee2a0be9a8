"""How the included frozen backbones were made: `hearing` and `seeing` train one each."""
