"""Does adversarial training pay: a finished band_net that goes on in several ways for the same time, beside a control."""
