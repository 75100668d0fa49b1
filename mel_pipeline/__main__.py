"""``python -m mel_pipeline`` is ``mel``."""

from mel_pipeline.cli.main import main

if __name__ == "__main__":
    main()
