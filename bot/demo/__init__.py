"""The demo: a seeded park with a clock that can be run ahead."""
