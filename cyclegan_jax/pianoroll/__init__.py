"""Piano rolls: their shape, the quantiser, phrases as bits, and what is read off a roll."""
