"""Makes models: needs the extra `train`, which nothing else in catdog loads."""

import os

# read by TensorFlow as it is imported: left alone, it uses oneDNN only where there are instructions
# for neural networks. With AVX2 alone a step of the default recipe at 144 px took 2.7 s, now 1.9.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
