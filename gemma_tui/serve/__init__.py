"""The loaded model for other programs of this machine, through OpenAI's chat API."""
