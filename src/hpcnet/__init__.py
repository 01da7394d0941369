"""hpcnet: the federation scheduler and broker of the EU-LAC supercomputing network."""

__all__ = ["__version__"]

__version__ = "0.1.0"
