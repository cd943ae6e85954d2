"""The commands; `python -m launch.<command> --help` lists the flags of one.

- `prepare`: make the dataset of MIDI files or arrays.
- `train`: train a CycleGAN between two genres, evaluate it, and write a page to listen to.
- `sweep`: train one run for each σ_D and set of discriminators, for the paper's tables.
- `evaluate`: evaluate a trained run on the test split.
- `classify`: train the genre classifier, and measure its accuracy under noise.
- `export`: write a trained run's model as one file.
- `transfer`: transfer songs to the other genre, a MIDI file for each.
- `listen`: write a page with songs, their transfers and their reconstructions, to see and hear.
- `serve`: a local page in the browser that transfers the MIDI files dropped on it.
- `benchmark`: time training and transfer on this machine.
- `benchmark_dataset`: time making the dataset, and measure its memory.
"""
